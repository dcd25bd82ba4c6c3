//! How durations are distributed, in bounded memory however many there are.

use hdrhistogram::Histogram;

/// Longer ones count as thirty days.
const LONGEST_MS: f64 = 30.0 * 24.0 * 60.0 * 60.0 * 1_000.0;

/// The histogram counts microseconds, so that steps of a tenth of a millisecond can be told apart.
const UNITS_PER_MS: f64 = 1_000.0;

/// Quantiles within one in a hundred; every count takes part in at most 20 kB.
const SIGNIFICANT_DIGITS: u8 = 2;

/// Durations in milliseconds. Count, least, greatest and mean are exact, quantiles approximate.
pub struct DurationHistogram {
    counts: Histogram<u32>,
    min: f64,
    max: f64,
    sum: f64,
}

impl Default for DurationHistogram {
    fn default() -> Self {
        let Ok(counts) = Histogram::new(SIGNIFICANT_DIGITS) else {
            unreachable!("two significant digits are within what a histogram takes");
        };
        Self { counts, min: 0.0, max: 0.0, sum: 0.0 }
    }
}

impl DurationHistogram {
    /// Counts a duration. What is none (not a number, negative, endless) is ignored.
    pub fn record(&mut self, ms: f64) {
        if !ms.is_finite() || ms < 0.0 {
            return;
        }
        let ms = ms.min(LONGEST_MS);
        let first = self.counts.is_empty();
        self.min = if first { ms } else { self.min.min(ms) };
        self.max = self.max.max(ms);
        self.sum += ms;
        let units = (ms * UNITS_PER_MS).round() as u64;
        // The histogram grows to whatever is recorded, so nothing up to the longest is refused.
        let recorded = self.counts.record(units);
        debug_assert!(recorded.is_ok());
    }

    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.counts.len()
    }

    /// The shortest, or 0 when nothing was recorded.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The longest, or 0 when nothing was recorded.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The average, or 0 when nothing was recorded.
    pub fn mean(&self) -> f64 {
        if self.counts.is_empty() { 0.0 } else { self.sum / self.count() as f64 }
    }

    /// The duration that a share `q` (0 to 1) of all is not longer than, or 0 when nothing was recorded.
    pub fn quantile(&self, q: f64) -> f64 {
        let units = self.counts.value_at_quantile(q.clamp(0.0, 1.0));
        (units as f64 / UNITS_PER_MS).clamp(self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram(durations: &[f64]) -> DurationHistogram {
        let mut histogram = DurationHistogram::default();
        for ms in durations {
            histogram.record(*ms);
        }
        histogram
    }

    #[test]
    fn nothing_recorded_is_all_zero() {
        let empty = DurationHistogram::default();
        let found = (empty.count(), empty.min(), empty.max(), empty.mean(), empty.quantile(0.5));
        assert_eq!(found, (0, 0.0, 0.0, 0.0, 0.0));
    }

    #[test]
    fn what_is_no_duration_is_ignored() {
        let found = histogram(&[f64::NAN, -1.0, f64::INFINITY, f64::NEG_INFINITY, 5.0]);
        assert_eq!((found.count(), found.min(), found.max(), found.mean()), (1, 5.0, 5.0, 5.0));
    }

    #[test]
    fn the_longest_are_clamped_and_memory_is_bounded() {
        let found = histogram(&[f64::MAX, 0.0]);
        assert_eq!((found.max(), found.min()), (LONGEST_MS, 0.0));
        assert!(found.counts.distinct_values() * size_of::<u32>() <= 20_000);
    }

    #[test]
    fn a_quantile_that_is_none_is_the_nearest() {
        let found = histogram(&[1.0, 2.0, 3.0]);
        assert_eq!((found.quantile(-1.0), found.quantile(2.0)), (1.0, 3.0));
        assert!(found.quantile(f64::NAN).is_finite());
    }

    proptest! {
        #[test]
        fn agrees_with_sorting(
            mut durations in prop::collection::vec(0.0..100_000.0f64, 1..300),
            q in 0.01..1.0f64,
        ) {
            let found = histogram(&durations);
            durations.sort_by(f64::total_cmp);
            let count = durations.len();
            prop_assert_eq!(found.count(), count as u64);
            prop_assert_eq!(found.min(), durations[0]);
            prop_assert_eq!(found.max(), durations[count - 1]);
            let mean = durations.iter().sum::<f64>() / count as f64;
            prop_assert!((found.mean() - mean).abs() <= 1e-9 * mean);

            let rank = ((q * count as f64).ceil() as usize).clamp(1, count);
            let exact = durations[rank - 1];
            let quantile = found.quantile(q);
            prop_assert!((quantile - exact).abs() <= exact / 100.0 + 0.001, "{} is not {}", quantile, exact);
        }
    }
}
