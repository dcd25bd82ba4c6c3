//! When a failed attempt is tried again.

use std::num::NonZeroU32;

/// How a step is retried. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// How many attempts there are in all, the first included.
    pub max_attempts: NonZeroU32,
    /// The wait after the first failed attempt.
    pub backoff_ms: f64,
    /// What each further wait is multiplied by.
    pub factor: f64,
    /// The longest wait.
    pub max_backoff_ms: f64,
    /// By how much of itself a wait may be shorter, from 0 to 1: so that what failed together is not tried
    /// again together.
    pub jitter: f64,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            max_attempts: NonZeroU32::MIN,
            backoff_ms: 1_000.0,
            factor: 2.0,
            max_backoff_ms: 60_000.0,
            jitter: 0.0,
        }
    }
}

impl Retry {
    /// The wait after failed attempt `attempt` (from 1), or `None` when it was the last one.
    ///
    /// ```
    /// use jobwright::core::retry::Retry;
    /// let retry = Retry { max_attempts: 3.try_into().unwrap(), ..Retry::default() };
    /// assert_eq!(retry.wait_after(1), Some(1_000.0));
    /// assert_eq!(retry.wait_after(2), Some(2_000.0));
    /// assert_eq!(retry.wait_after(3), None);
    /// ```
    pub fn wait_after(&self, attempt: u32) -> Option<f64> {
        if attempt >= self.max_attempts.get() {
            return None;
        }
        // An infinite product is cut by the maximum; 0 * infinity is NaN and means no wait.
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let wait = self.backoff_ms * self.factor.powi(exponent);
        Some(if wait.is_nan() { 0.0 } else { wait.clamp(0.0, self.max_backoff_ms) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wait_is_finite_and_never_above_the_maximum(
            attempt in 1u32.., backoff_ms in 0.0..1e300f64, factor in 1.0..1e10f64, max_backoff_ms in 0.0..1e9f64,
        ) {
            let retry = Retry { max_attempts: NonZeroU32::MAX, backoff_ms, factor, max_backoff_ms, jitter: 0.0 };
            if let Some(wait) = retry.wait_after(attempt) {
                prop_assert!((0.0..=max_backoff_ms).contains(&wait));
            }
        }
    }

    #[test]
    fn one_attempt_is_never_retried() {
        assert_eq!(Retry::default().wait_after(1), None);
    }
}
