//! How durations are distributed, in bounded memory however many there are.

/// Longer ones count as thirty days.
const LONGEST_MS: f64 = 30.0 * 24.0 * 60.0 * 60.0 * 1_000.0;

/// The histogram counts microseconds, so that steps of a tenth of a millisecond can be told apart.
const UNITS_PER_MS: f64 = 1_000.0;

/// Durations that agree in so many bits, the first of which is a 1, are counted as one: within one in a hundred.
const BITS: u32 = 8;
/// How many such numbers there are.
const STEPS: usize = 1 << (BITS - 1);

/// Durations in milliseconds. Count, least, greatest and mean are exact, quantiles approximate.
#[derive(Default)]
pub struct DurationHistogram {
    /// By [`place_of`]; as many as are needed, and at most 20 kB.
    counts: Vec<u32>,
    count: u64,
    min: f64,
    max: f64,
    sum: f64,
}

fn place_of(units: u64) -> usize {
    let dropped = (u64::BITS - units.leading_zeros()).saturating_sub(BITS);
    STEPS * dropped as usize + (units >> dropped) as usize
}

/// The longest duration that has this place.
fn last_at(place: usize) -> u64 {
    let dropped = (place / STEPS).saturating_sub(1);
    (((place - STEPS * dropped + 1) as u64) << dropped) - 1
}

impl DurationHistogram {
    /// Counts a duration. What is none (not a number, negative, endless) is ignored.
    pub fn record(&mut self, ms: f64) {
        if !ms.is_finite() || ms < 0.0 {
            return;
        }
        let ms = ms.min(LONGEST_MS);
        let first = self.count == 0;
        self.min = if first { ms } else { self.min.min(ms) };
        self.max = self.max.max(ms);
        self.sum += ms;
        self.count += 1;
        let place = place_of((ms * UNITS_PER_MS).round() as u64);
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] = self.counts[place].saturating_add(1);
    }

    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.count
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
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// The duration that a share `q` (0 to 1) of all is not longer than, or 0 when nothing was recorded.
    pub fn quantile(&self, q: f64) -> f64 {
        let mut left = (q.min(1.0) * self.count as f64).ceil();
        if left < 1.0 {
            return self.min;
        }
        let reached = self.counts.iter().position(|count| {
            left -= f64::from(*count);
            left <= 0.0
        });
        let units = last_at(reached.unwrap_or_default());
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
        assert!(found.counts.len() * size_of::<u32>() <= 20_000);
    }

    #[test]
    fn a_quantile_that_is_none_is_the_nearest() {
        let found = histogram(&[1.0, 2.0, 3.0]);
        assert_eq!((found.quantile(-1.0), found.quantile(2.0)), (1.0, 3.0));
        assert!(found.quantile(f64::NAN).is_finite());
    }

    #[test]
    fn every_place_has_its_durations() {
        let mut next = 0;
        for place in 0..=place_of((LONGEST_MS * UNITS_PER_MS) as u64) {
            let last = last_at(place);
            assert_eq!((place_of(next), place_of(last)), (place, place));
            next = last + 1;
        }
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
