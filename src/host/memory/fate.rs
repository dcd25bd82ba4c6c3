//! What becomes of each call of the host: it answers at once, later, badly, or never.

use std::{
    cell::RefCell,
    future::{pending, poll_fn},
    task::Poll,
};

use crate::{
    core::status::JobStatus,
    host::{CommitError, JobKey, memory::MemoryHost},
};

/// A call of the host whose fate can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostCall {
    /// `load` of a job.
    Load(JobKey),
    /// `commit` to a job.
    Commit(JobKey),
    /// The right to run a job is asked for.
    AcquireLease(JobKey),
    /// The list of a job's children.
    Children(JobKey),
    /// The list of the jobs that stand here.
    Jobs(JobStatus),
    /// Are all jobs paused? Asked for the sake of this one.
    AllPaused(JobKey),
    /// All jobs are paused, or no longer.
    SetAllPaused,
    /// `may_start`.
    MayStart(JobKey),
    /// `hold`.
    Hold(JobKey),
    /// `spent`, which can't fail.
    Spent(JobKey),
    /// `free`, which can't fail.
    Free(JobKey),
    /// The look for an agent, which can't be late.
    FindAgent(JobKey),
    /// The router's question.
    Route(JobKey),
    /// The call of an agent; its own answer says how it fails.
    Run(JobKey),
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is done and answered at once.
    Go,
    /// It is done and answered when it has been polled this often.
    Later(u32),
    /// It is not done, and fails with these words.
    Fail(String),
    /// A commit finds that somebody else committed first; any other call is done.
    Conflict,
    /// It is not done and never answered.
    Never,
    /// It is done and never answered: a process that ends between the two.
    DoneThenNever,
    /// It is done, and fails all the same: an answer that got lost.
    DoneThenFail(String),
}

type Chooser = Box<dyn FnMut(HostCall) -> Fate>;

#[derive(Default)]
pub(super) struct Fates(RefCell<Option<Chooser>>);

/// How a call goes on once its time has come.
pub(super) enum Then {
    Go,
    DoneThenNever,
    DoneThenFail(String),
}

impl MemoryHost {
    /// Chooses the fate of each call from now on.
    pub fn choose_fates(&self, choose: impl FnMut(HostCall) -> Fate + 'static) {
        *self.world.fates.0.borrow_mut() = Some(Box::new(choose));
    }

    /// From now on, every call is done and answered at once.
    pub fn be_reliable(&self) {
        *self.world.fates.0.borrow_mut() = None;
    }

    /// The fate of a call that is about to be made.
    pub(super) fn fate_of(&self, call: HostCall) -> Fate {
        // Out of its place while it is asked: it may look at this host.
        let chooser = self.world.fates.0.borrow_mut().take();
        let Some(mut chooser) = chooser else { return Fate::Go };
        let fate = chooser(call);
        self.world.fates.0.borrow_mut().get_or_insert(chooser);
        fate
    }

    /// Waits until a call may be done.
    pub(super) async fn turn_of(&self, call: HostCall) -> Result<Then, CommitError<String>> {
        match self.fate_of(call) {
            Fate::Go => Ok(Then::Go),
            Fate::Later(polls) => {
                later(polls).await;
                Ok(Then::Go)
            }
            Fate::Fail(error) => Err(CommitError::Failed(error)),
            Fate::Conflict if matches!(call, HostCall::Commit(_)) => Err(CommitError::Conflict),
            Fate::Conflict => Ok(Then::Go),
            Fate::Never => pending().await,
            Fate::DoneThenNever => Ok(Then::DoneThenNever),
            Fate::DoneThenFail(error) => Ok(Then::DoneThenFail(error)),
        }
    }

    /// Makes a call that can fail.
    pub(super) async fn call<T>(&self, call: HostCall, act: impl FnOnce() -> T) -> Result<T, String> {
        let then = self.turn_of(call).await.map_err(|error| match error {
            CommitError::Failed(error) => error,
            CommitError::Conflict => String::new(),
        })?;
        then.answer(act()).await
    }

    /// Makes a call that can't fail.
    pub(super) async fn surely<T>(&self, call: HostCall, act: impl FnOnce() -> T) -> T {
        match self.turn_of(call).await {
            Ok(Then::DoneThenNever) => {
                act();
                pending().await
            }
            Ok(Then::Go | Then::DoneThenFail(_)) | Err(_) => act(),
        }
    }
}

impl Then {
    pub(super) async fn answer<T>(self, value: T) -> Result<T, String> {
        match self {
            Then::Go => Ok(value),
            Then::DoneThenNever => pending().await,
            Then::DoneThenFail(error) => Err(error),
        }
    }
}

/// Resolves when it has been polled this often, and asks for each of these polls.
async fn later(polls: u32) {
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
