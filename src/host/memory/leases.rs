//! Who may run a job: this host's orchestrators, or somebody in another process that a test plays.

use super::{HostCall, MemoryHost};
use crate::host::{JobKey, LeaseState, Leases};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lease {
    Free,
    Held,
    /// Somebody in another process has it.
    Elsewhere,
}

impl MemoryHost {
    /// Somebody in another process gets the right to run a job, whoever had it: what is committed under it here is
    /// refused from now on. Nobody here is told.
    pub fn take_lease(&self, key: JobKey) {
        self.with(key, |record| record.lease = Lease::Elsewhere);
    }

    /// Nobody has the right to run a job any more: the one in the other process gave it back, or died.
    pub fn free_lease(&self, key: JobKey) {
        self.with(key, |record| record.lease = Lease::Free);
    }
}

impl Leases for MemoryHost {
    async fn acquire_lease(&self, job: JobKey) -> Result<bool, String> {
        let acquire = || {
            self.with(job, |record| {
                let granted = record.lease != Lease::Elsewhere && record.stored.is_some();
                if granted {
                    record.lease = Lease::Held;
                }
                granted
            })
        };
        Ok(self.call(HostCall::AcquireLease(job), acquire).await?.unwrap_or(false))
    }

    async fn lease_state(&self, job: JobKey) -> LeaseState {
        match self.with(job, |record| record.lease) {
            Some(Lease::Held) => LeaseState::Held,
            Some(Lease::Free | Lease::Elsewhere) | None => LeaseState::Lost,
        }
    }

    async fn release_lease(&self, job: JobKey) {
        self.let_lease_lapse(job);
    }

    fn let_lease_lapse(&self, job: JobKey) {
        self.with(job, |record| {
            if record.lease == Lease::Held {
                record.lease = Lease::Free;
            }
        });
    }
}
