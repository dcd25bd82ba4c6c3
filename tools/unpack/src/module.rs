//! What stands where in a module.

use crate::history::*;

/// What gives the bytes of a module, one by one.
pub trait Source {
    /// # Safety
    ///
    /// There is another byte.
    unsafe fn byte(&mut self, stream: usize) -> u8;

    /// What follows from the rest is not packed: how an address is aligned (not at all), and sizes.
    ///
    /// # Safety
    ///
    /// See [`Source::byte`].
    unsafe fn skip_number(&mut self) {}
}

/// Kinds of instructions; those that have just a number as their operand are of the kind of its stream.
const NO_OPERAND: u8 = 13;
const OPENS_BLOCK: u8 = 14;
const END: u8 = 15;
const TABLE: u8 = 16;
const FOUR_BYTES: u8 = 17;
const EIGHT_BYTES: u8 = 18;
const TWO_NUMBERS: u8 = 19;
const LIST: u8 = 20;
const LONG: u8 = 21;
pub const UNKNOWN: u8 = 22;

pub fn kind_of(instruction: u8) -> u8 {
    match instruction {
        0x00..=0x01 | 0x05 | 0x0f | 0x1a..=0x1b | 0x45..=0xc4 | 0xd1 => NO_OPERAND,
        0x02..=0x04 => OPENS_BLOCK,
        0x0b => END,
        0x0c..=0x0d => BLOCK as u8,
        0x0e => TABLE,
        0x10 => CALL as u8,
        0x11 => TWO_NUMBERS,
        0x1c => LIST,
        0x20 => GET as u8,
        0x21..=0x22 => SET as u8,
        0x23..=0x26 | 0x3f..=0x40 | 0xd0 | 0xd2 => MISC as u8,
        0x28..=0x35 => LOAD as u8,
        0x36..=0x3e => STORE as u8,
        0x41 => I32 as u8,
        0x42 => I64 as u8,
        0x43 => FOUR_BYTES,
        0x44 => EIGHT_BYTES,
        0xfc => LONG,
        _ => UNKNOWN,
    }
}

pub struct Module<S> {
    pub source: S,
    /// Where the next byte is written.
    pub at: *mut u8,
}

impl<S: Source> Module<S> {
    /// All of it; `before` and `after` bytes stand around the code section's size and content.
    ///
    /// # Safety
    ///
    /// The source gives a module, and there is room for it.
    pub unsafe fn whole(&mut self, before: usize, after: usize) {
        unsafe {
            self.bytes(OTHER, before);
            self.sized(|module| {
                for _ in 0..module.number(DECLARATION) {
                    module.sized(|module| module.function());
                }
            });
            self.bytes(OTHER, after);
        }
    }

    unsafe fn function(&mut self) {
        unsafe {
            for _ in 0..self.number(DECLARATION) {
                self.number(DECLARATION);
                self.number(DECLARATION);
            }
            let mut depth = 1;
            while depth > 0 {
                let kind = kind_of(self.byte(INSTRUCTION));
                if kind == END {
                    depth -= 1;
                } else if kind == OPENS_BLOCK {
                    depth += 1;
                    self.number(BLOCK);
                } else if kind != NO_OPERAND {
                    self.operands(kind);
                }
            }
        }
    }

    unsafe fn operands(&mut self, kind: u8) {
        unsafe {
            let (stream, count) = match kind {
                TABLE => (BLOCK, self.number(BLOCK) + 1),
                FOUR_BYTES => return self.bytes(FLOAT, 4),
                EIGHT_BYTES => return self.bytes(FLOAT, 8),
                TWO_NUMBERS => (MISC, 2),
                LIST => (MISC, self.number(MISC)),
                LONG => match self.number(MISC) {
                    0..=7 => return,
                    8 | 10 | 12 | 14 => (MISC, 2),
                    _ => (MISC, 1),
                },
                _ => (kind as usize, 1),
            };
            if stream == LOAD || stream == STORE {
                self.source.skip_number();
                self.put(0);
            }
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
            let byte = self.source.byte(stream);
            self.put(byte);
            byte
        }
    }

    unsafe fn bytes(&mut self, stream: usize, count: usize) {
        for _ in 0..count {
            unsafe { self.byte(stream) };
        }
    }

    /// A LEB128 number.
    unsafe fn number(&mut self, stream: usize) -> usize {
        let mut number = 0;
        let mut shift = 0;
        loop {
            let byte = unsafe { self.byte(stream) };
            number |= (byte as usize & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    }

    /// Writes something, and then its size before it.
    unsafe fn sized(&mut self, write: impl FnOnce(&mut Self)) {
        unsafe {
            self.source.skip_number();
            let start = self.at;
            write(self);
            let size = self.at.offset_from_unsigned(start);
            let mut digits = 1;
            while size >> (7 * digits) > 0 {
                digits += 1;
            }
            core::ptr::copy(start, start.add(digits), size);
            for digit in 0..digits {
                let more = if digit + 1 < digits { 0x80 } else { 0 };
                *start.add(digit) = (size >> (7 * digit) & 0x7f) as u8 | more;
            }
            self.at = self.at.add(digits);
        }
    }
}
