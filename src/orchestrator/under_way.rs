//! What goes on while the one who runs a job's steps waits or decides.

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use crate::{
    core::step::StepIndex,
    host::Host,
    orchestrator::{attempt::Ended, child_job::Child, settle::Finished},
};

/// What goes on beside the decisions.
pub(super) struct UnderWay<'a, H: Host> {
    pub(super) running: Vec<Running<'a, H>>,
    /// Attempts that have ended, and that no decision knows of yet.
    pub(super) ended: Vec<Finished<H>>,
    /// Child jobs that are being paused.
    pub(super) pausing: Vec<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    /// One has ended, with something to tell or without, and nobody has decided since.
    pub(super) any_ended: bool,
    pub(super) given_up: bool,
}

impl<H: Host> Default for UnderWay<'_, H> {
    fn default() -> Self {
        UnderWay {
            running: Vec::new(),
            ended: Vec::new(),
            pausing: Vec::new(),
            any_ended: false,
            given_up: false,
        }
    }
}

impl<H: Host> UnderWay<'_, H> {
    /// How many attempts are under way, as decisions see it.
    pub(super) fn count(&self) -> usize {
        self.running.len() + self.ended.len()
    }

    /// Lets the attempts go on, or only those that are jobs, and takes those that have ended.
    pub(super) fn poll(&mut self, only_jobs: bool, context: &mut Context<'_>) {
        self.pausing.retain_mut(|pause| pause.as_mut().poll(context).is_pending());
        let UnderWay { running, ended, any_ended, given_up, .. } = self;
        running.retain_mut(|attempt| {
            if only_jobs && !attempt.is_job {
                return true;
            }
            let Poll::Ready(how) = attempt.call.as_mut().poll(context) else { return true };
            *any_ended = true;
            match how {
                Ended::GivenUp => *given_up = true,
                how => ended.push(Finished::new(attempt.order, how)),
            }
            false
        });
    }
}

/// An attempt under way.
pub(super) struct Running<'a, H: Host> {
    /// Its step in the plan, and then itself: what ends in the same turn is noted in this order.
    pub(super) order: (StepIndex, StepIndex),
    pub(super) call: Pin<Box<dyn Future<Output = Ended<H>> + 'a>>,
    pub(super) is_job: bool,
    /// The job that does it, where one does, until it was told that its parent was paused.
    pub(super) child: Option<Rc<Child<'a, H>>>,
}
