//! Puts the wasm module together from the text it is inlined as, which `tools/pack` writes.
//!
//! It runs once, when the package is loaded where it can't read the module's file, and so before an engine has found time
//! to optimize it; JavaScript would still be interpreted, and take several times as long. There are no slices here,
//! because the checks at each access would make it half as large again: what it reads was written, unpacked and compared
//! by the build.

#![cfg(target_arch = "wasm32")]
#![no_std]

pub mod history;
pub mod model;
pub mod module;

use history::History;
use model::{Bits, STREAMS};
use module::{Module, Source};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// An interval that is smaller is refined by the next bits of the text.
pub const SMALL: u32 = 1 << 31;
/// Letters that stand for six bits; the others stand for seven. gzip gives each as many, and so costs nothing.
pub const SHORT: u32 = 35;

/// # Safety
///
/// The text is a packed module; there is room for the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unpack(text: *const u8, module: *mut u8) {
    unsafe {
        model::prepare();
        let mut letters = Letters { at: text, bits: 0, count: 0, within: 0, interval: u32::MAX };
        letters.refine(16);
        letters.refine(16);
        for stream in 0..STREAMS {
            model::code(&mut letters, stream);
        }
        let before = letters.number();
        let after = letters.number();
        let source = Unpacked { letters, history: History::NOTHING };
        Module { source, at: module }.whole(before, after);
    }
}

/// Arithmetic coding: the text names a point within the interval, each bit takes the part of it that is its own.
struct Letters {
    at: *const u8,
    /// Those of the letters so far; the last ones, so many, are still to be read.
    bits: u64,
    count: u32,
    /// Where in the interval the point is.
    within: u32,
    interval: u32,
}

impl Letters {
    /// 93 letters stand for themselves in a JavaScript text: those from the space to `~`, but for `'` and the backslash.
    unsafe fn refine(&mut self, bits: u32) {
        unsafe {
            while self.count < bits {
                let letter = u32::from(*self.at);
                self.at = self.at.add(1);
                let place = letter - 32 - u32::from(letter > 39) - u32::from(letter > 92);
                let long = u32::from(place >= SHORT);
                self.bits = self.bits << (6 + long) | u64::from(place + SHORT * long);
                self.count += 6 + long;
            }
            self.count -= bits;
            self.within = self.within << bits | (self.bits >> self.count) as u32 & ((1 << bits) - 1);
        }
    }

    unsafe fn number(&mut self) -> usize {
        let mut number = 0;
        for _ in 0..24 {
            number = number << 1 | unsafe { self.bit(1 << 15, 0) } as usize;
        }
        number
    }
}

impl Bits for Letters {
    #[inline(always)]
    unsafe fn bit(&mut self, probability: u32, _: u32) -> u32 {
        let part = (self.interval >> 16) * probability;
        let bit = u32::from(self.within < part);
        if bit == 1 {
            self.interval = part;
        } else {
            self.within -= part;
            self.interval -= part;
        }
        if self.interval < SMALL {
            let bits = self.interval.leading_zeros();
            self.interval <<= bits;
            unsafe { self.refine(bits) };
        }
        bit
    }
}

struct Unpacked {
    letters: Letters,
    history: History,
}

impl Source for Unpacked {
    unsafe fn byte(&mut self, stream: usize) -> u8 {
        unsafe {
            let contexts = self.history.contexts(stream);
            let byte = model::byte(&mut self.letters, stream, &contexts, 0);
            self.history.note(stream, byte);
            byte
        }
    }
}
