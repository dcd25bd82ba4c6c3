//! One call of an agent, and the three things that can end it.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

use crate::{
    core::outcome::{Code, Refusal},
    host::{Abort, AgentResult, Host},
    orchestrator::{Orchestrator, Stop, live::Attempting},
};

/// How an attempt ended.
pub(super) enum Ended<H: Host> {
    /// The agent or the child job answered, or took too long.
    Answered(AgentResult<H::Value>),
    /// The child job can't go on without somebody.
    Suspended(Stop<H::Value, H::Error>),
    /// The child job was paused because its parent was.
    PausedWithParent,
    /// The job ended, or the orchestrator was closed.
    GivenUp,
}

/// How long an attempt may take.
pub(super) struct Limit {
    pub(super) ms: f64,
    /// What takes so long, as the subject of a sentence.
    pub(super) name: String,
}

impl<H: Host> Orchestrator<H> {
    /// Calls an agent until it answers, its time is up, or the job ends.
    pub(super) async fn call_agent(
        &self,
        attempting: &Attempting,
        attempt: &H::Attempt,
        limit: Option<&Limit>,
    ) -> Ended<H> {
        // The job may have ended before anybody got to call it.
        if attempting.is_shut() {
            return Ended::GivenUp;
        }
        match until_given_up(&self.host, attempting, limit, pin!(self.host.run(attempt))).await {
            Ok(result) => Ended::Answered(result),
            Err(why) => {
                self.host.abort(attempt, why);
                match why {
                    Abort::Timeout => Ended::Answered(timed_out(limit)),
                    Abort::Cancelled | Abort::Closed | Abort::Lost => Ended::GivenUp,
                }
            }
        }
    }
}

/// What an attempt comes to, or why it is given up first.
pub(super) async fn until_given_up<H: Host, T>(
    host: &H,
    attempting: &Attempting,
    limit: Option<&Limit>,
    mut answer: Pin<&mut impl Future<Output = T>>,
) -> Result<T, Abort> {
    // Boxed: most attempts have no limit, and need not hold room for one.
    let mut timer = limit.map(|limit| Box::pin(host.sleep(limit.ms)));
    poll_fn(|context| {
        if let Poll::Ready(result) = answer.as_mut().poll(context) {
            return Poll::Ready(Ok(result));
        }
        if let Poll::Ready(why) = attempting.poll_aborted(context) {
            return Poll::Ready(Err(why));
        }
        match &mut timer {
            Some(timer) => timer.as_mut().poll(context).map(|()| Err(Abort::Timeout)),
            None => Poll::Pending,
        }
    })
    .await
}

pub(super) fn timed_out<V>(limit: Option<&Limit>) -> AgentResult<V> {
    let message = match limit {
        Some(Limit { ms, name }) => format!("{name} timed out after {} ms", ms.ceil() as u64),
        None => Code::Timeout.sentence().to_owned(),
    };
    AgentResult::Failed {
        why: Refusal::new(Code::Timeout, message),
        retryable: true,
        retry_after: None,
        cost: None,
    }
}
