/// The time, for everything that waits.
#[allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub trait Clock {
    /// Epoch milliseconds.
    fn now(&self) -> f64;

    /// Resolves after `ms` milliseconds, however many; dropping it takes the timer back.
    async fn sleep(&self, ms: f64);
}
