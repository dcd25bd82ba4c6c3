//! The histogram behind the bundled performance monitor.

use crate::core::histogram::DurationHistogram;
use wasm_bindgen::prelude::*;

/// Durations in milliseconds, as JavaScript sees them.
#[wasm_bindgen]
#[derive(Default)]
pub struct Histogram(DurationHistogram);

#[wasm_bindgen]
impl Histogram {
    /// An empty one.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a duration; what is none is ignored.
    pub fn record(&mut self, ms: f64) {
        self.0.record(ms);
    }

    /// The duration that a share `q` of all is not longer than.
    pub fn quantile(&self, q: f64) -> f64 {
        self.0.quantile(q)
    }

    /// How many; a JavaScript number, which is exact far beyond what anybody records.
    pub fn count(&self) -> f64 {
        self.0.count() as f64
    }

    /// The shortest.
    pub fn min(&self) -> f64 {
        self.0.min()
    }

    /// The longest.
    pub fn max(&self) -> f64 {
        self.0.max()
    }

    /// The average.
    pub fn mean(&self) -> f64 {
        self.0.mean()
    }
}
