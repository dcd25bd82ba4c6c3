//! What the histograms of the bundled performance monitor ask. What they count stays in JavaScript.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::core::histogram;

/// See [`histogram::place_of`].
#[wasm_bindgen]
pub fn histogram_place(ms: f64) -> u32 {
    histogram::place_of(ms) as u32
}

/// See [`histogram::longest_at`].
#[wasm_bindgen]
pub fn histogram_longest(place: u32) -> f64 {
    histogram::longest_at(place as usize)
}
