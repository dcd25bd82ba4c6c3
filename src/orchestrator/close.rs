use crate::{
    host::{Abort, Host},
    orchestrator::Orchestrator,
};

impl<H: Host> Orchestrator<H> {
    /// Nothing new begins and running agents are told to stop. Cancels nothing: what was running
    /// goes on in the next orchestrator on the same store.
    pub fn close(&self) {
        self.closed.set(true);
        for live in self.live.all() {
            live.abort_attempts(Abort::Closed);
            live.notify();
            live.bell.ring();
        }
    }

    /// Has it been closed?
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }
}
