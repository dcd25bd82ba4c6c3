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

/// How many letters of the text are read before the first bit is known.
pub const AHEAD: usize = 5;
/// Bits of an interval, of which so many letters choose a part.
pub const INTERVAL: u32 = 1 << (AHEAD * 6);
/// An interval that is smaller is refined by another letter.
pub const SMALL: u32 = INTERVAL >> 6;

/// # Safety
///
/// The text is a packed module; there is room for the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unpack(text: *const u8, module: *mut u8) {
    unsafe {
        model::prepare();
        let mut letters = Letters { at: text, within: 0, interval: INTERVAL };
        for _ in 0..AHEAD {
            letters.refine();
        }
        letters.interval = INTERVAL;
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
    /// Where in the interval the point is.
    within: u32,
    interval: u32,
}

impl Letters {
    /// 64 letters stand for themselves in a JavaScript text: those from `(` to `h`, but for the backslash.
    unsafe fn refine(&mut self) {
        unsafe {
            let letter = u32::from(*self.at);
            self.at = self.at.add(1);
            self.interval <<= 6;
            self.within = self.within << 6 | (letter - 40 - u32::from(letter > 92));
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
        while self.interval < SMALL {
            unsafe { self.refine() };
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
