//! One call of an agent, and the three things that can end it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    task::Poll,
};

use crate::{
    core::outcome::{Code, Refusal},
    host::{Abort, AgentResult, Host},
    orchestrator::{Orchestrator, live::Live},
};

/// How a call of an agent ended.
pub(super) enum Ended<V> {
    /// The agent answered, or took too long.
    Answered(AgentResult<V>),
    /// The job ended, or the orchestrator was closed.
    GivenUp,
}

impl<H: Host> Orchestrator<H> {
    /// Calls an agent until it answers, its time is up, or the job ends.
    /// `limit` is the time it has and the step's id.
    pub(super) async fn call_agent(
        &self,
        live: &Rc<Live>,
        attempt: &H::Attempt,
        limit: Option<(f64, &str)>,
    ) -> Ended<H::Value> {
        let attempting = live.begin_attempt();
        let mut answer = pin!(self.host.run(attempt));
        let mut timer = pin!(async {
            match limit {
                Some((ms, _)) => self.host.sleep(ms).await,
                None => std::future::pending().await,
            }
        });
        let ended = poll_fn(|context| {
            if let Poll::Ready(result) = answer.as_mut().poll(context) {
                return Poll::Ready(Ok(result));
            }
            if let Poll::Ready(why) = attempting.poll_aborted(context) {
                return Poll::Ready(Err(why));
            }
            timer.as_mut().poll(context).map(|()| Err(Abort::Timeout))
        })
        .await;
        match ended {
            Ok(result) => Ended::Answered(result),
            Err(why) => {
                self.host.abort(attempt, why);
                match why {
                    Abort::Timeout => Ended::Answered(timed_out(limit)),
                    Abort::Cancelled | Abort::Closed => Ended::GivenUp,
                }
            }
        }
    }
}

fn timed_out<V>(limit: Option<(f64, &str)>) -> AgentResult<V> {
    let message = match limit {
        Some((ms, step)) => format!("Step \"{step}\" timed out after {} ms", ms.ceil() as u64),
        None => Code::Timeout.sentence().to_owned(),
    };
    AgentResult::Failed {
        why: Refusal::new(Code::Timeout, message),
        retryable: true,
        retry_after: None,
        cost: None,
    }
}
