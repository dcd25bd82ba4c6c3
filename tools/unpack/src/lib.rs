//! Puts the wasm module together from the text it is inlined as. `scripts/setup/pack.mjs` writes it, and says how.
//!
//! It runs once, when the package is loaded, and so before an engine has found time to optimize it. JavaScript would
//! still be interpreted, and take several times as long. There are no slices here, because the checks at each access
//! would make it half as large again: what it reads was written, unpacked and compared by the build.

#![cfg(target_arch = "wasm32")]
#![no_std]

use core::ptr::{copy, null};

/// In which order the streams are written.
const STREAMS: usize = 13;
const INSTRUCTION: usize = 0;
const BLOCK: usize = 3;
const DECLARATION: usize = 4;
const MISC: usize = 5;
const LOAD: usize = 7;
const STORE: usize = 8;
const FLOAT: usize = 11;
const OTHER: usize = 12;

/// Kinds of instructions; those that only have a number as their operand are of the kind of its stream.
const NO_OPERAND: usize = 0;
const OPENS_BLOCK: usize = 13;
const END: usize = 14;
const TABLE: usize = 15;
const FOUR_BYTES: usize = 16;
const EIGHT_BYTES: usize = 17;
const TWO_NUMBERS: usize = 18;
const LIST: usize = 19;
const LONG: usize = 20;

const LETTERS: usize = 88;
/// How many letters stand for a byte alone; each of the others begins a pair.
const SINGLE: usize = 86;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// # Safety
///
/// The text is a packed module. There is room for its streams and for the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unpack(text: *const u8, streams: *mut u8, module: *mut u8) {
    unsafe {
        let mut letters = Letters { at: text.add(LETTERS), places: [0; 128] };
        for place in 0..LETTERS {
            *letters.places.as_mut_ptr().add(*text.add(place) as usize) = place as u8;
        }
        let mut kinds = [0; 256];
        for kind in &mut kinds {
            *kind = letters.place() as u8;
        }
        let before = letters.number();
        let mut from = [null(); STREAMS];
        let mut at = streams;
        for start in &mut from {
            *start = at.cast_const();
            at = at.add(letters.number());
        }
        let mut filled = streams;
        for until in [from[1], from[OTHER], at.cast_const()] {
            filled = letters.bytes(filled, until);
        }
        let mut module = Module { from, at: module, kinds };
        module.bytes(OTHER, before);
        module.code();
        module.bytes(OTHER, at.offset_from_unsigned(module.from[OTHER]));
    }
}

struct Letters {
    at: *const u8,
    places: [u8; 128],
}

impl Letters {
    unsafe fn place(&mut self) -> usize {
        unsafe {
            let letter = *self.at;
            self.at = self.at.add(1);
            *self.places.as_ptr().add(letter as usize) as usize
        }
    }

    unsafe fn number(&mut self) -> usize {
        let mut number = 0;
        for _ in 0..4 {
            number = number << 6 | unsafe { self.place() };
        }
        number
    }

    /// First an alphabet: which bytes are frequent. Their places come first, then the others'.
    unsafe fn bytes(&mut self, mut to: *mut u8, until: *const u8) -> *mut u8 {
        let mut bytes = [0; 256];
        let mut next = [SINGLE, 0];
        for four in 0..64 {
            let listed = unsafe { self.place() };
            for one in 0..4 {
                unsafe {
                    let place = next.as_mut_ptr().add(listed >> one & 1);
                    *bytes.as_mut_ptr().add(*place) = four * 4 + one;
                    *place += 1;
                }
            }
        }
        let mut at = self.at;
        let places = self.places.as_ptr();
        while to.cast_const() < until {
            unsafe {
                let mut place = *places.add(*at as usize) as usize;
                at = at.add(1);
                if place >= SINGLE {
                    place = (place - SINGLE + 1) * SINGLE + *places.add(*at as usize) as usize;
                    at = at.add(1);
                }
                *to = *bytes.as_ptr().add(place);
                to = to.add(1);
            }
        }
        self.at = at;
        to
    }
}

struct Module {
    /// What is next in each stream.
    from: [*const u8; STREAMS],
    at: *mut u8,
    kinds: [u8; 256],
}

impl Module {
    unsafe fn code(&mut self) {
        let start = self.at;
        unsafe {
            for _ in 0..self.number(DECLARATION) {
                self.function();
            }
            self.insert_size(start);
        }
    }

    unsafe fn function(&mut self) {
        let start = self.at;
        unsafe {
            for _ in 0..self.number(DECLARATION) {
                self.number(DECLARATION);
                self.byte(DECLARATION);
            }
            let mut depth = 1;
            while depth > 0 {
                let instruction = self.byte(INSTRUCTION);
                let kind = *self.kinds.as_ptr().add(instruction as usize) as usize;
                if kind == END {
                    depth -= 1;
                } else if kind == OPENS_BLOCK {
                    depth += 1;
                    self.number(BLOCK);
                } else if kind != NO_OPERAND {
                    self.operands(kind);
                }
            }
            self.insert_size(start);
        }
    }

    unsafe fn operands(&mut self, kind: usize) {
        unsafe {
            let (stream, count) = match kind {
                LOAD | STORE => {
                    // How the address is aligned: not at all.
                    self.put(0);
                    (kind, 1)
                }
                FOUR_BYTES => return self.bytes(FLOAT, 4),
                EIGHT_BYTES => return self.bytes(FLOAT, 8),
                TABLE => (BLOCK, self.number(BLOCK) + 1),
                TWO_NUMBERS => (MISC, 2),
                LIST => (MISC, self.number(MISC)),
                LONG => match self.number(MISC) {
                    0..=7 => return,
                    8 | 10 | 12 | 14 => (MISC, 2),
                    _ => (MISC, 1),
                },
                _ => (kind, 1),
            };
            for _ in 0..count {
                self.number(stream);
            }
        }
    }

    unsafe fn put(&mut self, byte: u8) {
        unsafe {
            *self.at = byte;
            self.at = self.at.add(1);
        }
    }

    unsafe fn byte(&mut self, stream: usize) -> u8 {
        unsafe {
            let from = self.from.as_mut_ptr().add(stream);
            let byte = **from;
            *from = (*from).add(1);
            self.put(byte);
            byte
        }
    }

    unsafe fn bytes(&mut self, stream: usize, count: usize) {
        for _ in 0..count {
            unsafe { self.byte(stream) };
        }
    }

    /// Copies a LEB128 number.
    unsafe fn number(&mut self, stream: usize) -> usize {
        let mut number = 0;
        let mut shift = 0;
        unsafe {
            let next = self.from.as_mut_ptr().add(stream);
            let (mut from, mut at) = (*next, self.at);
            loop {
                let byte = *from;
                *at = byte;
                from = from.add(1);
                at = at.add(1);
                number |= (byte as usize & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            *next = from;
            self.at = at;
        }
        number
    }

    /// Moves what was written since `start`, to write its size before it.
    unsafe fn insert_size(&mut self, start: *mut u8) {
        unsafe {
            let size = self.at.offset_from_unsigned(start);
            let mut digits = 1;
            while size >> (7 * digits) > 0 {
                digits += 1;
            }
            copy(start, start.add(digits), size);
            for digit in 0..digits {
                let more = if digit + 1 < digits { 0x80 } else { 0 };
                *start.add(digit) = (size >> (7 * digit) & 0x7f) as u8 | more;
            }
            self.at = self.at.add(digits);
        }
    }
}
