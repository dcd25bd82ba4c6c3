//! What was there before a byte, as far as it helps to guess what comes.

use crate::model::{CONTEXTS, STREAMS, hash};

pub const INSTRUCTION: usize = 0;
pub const GET: usize = 1;
pub const SET: usize = 2;
pub const BLOCK: usize = 3;
pub const DECLARATION: usize = 4;
pub const MISC: usize = 5;
pub const CALL: usize = 6;
pub const LOAD: usize = 7;
pub const STORE: usize = 8;
pub const I32: usize = 9;
pub const I64: usize = 10;
pub const FLOAT: usize = 11;
/// What is no code.
pub const OTHER: usize = 12;

pub struct History {
    /// The last four instructions, or bytes of what is no code.
    last: u32,
    /// The four before these.
    earlier: u32,
    /// The last instruction with its operands; of what is no code, the word so far.
    whole: u32,
    /// The instruction before that, with its operands.
    before: u32,
    /// The bytes of this number so far.
    number: u32,
    /// The last number of each stream.
    numbers: [u32; STREAMS],
    /// The last two locals.
    local: u32,
    other_local: u32,
}

impl History {
    pub const NOTHING: History = History {
        last: 0,
        earlier: 0,
        whole: 0,
        before: 0,
        number: 0,
        numbers: [0; STREAMS],
        local: 0,
        other_local: 0,
    };

    /// What a byte of a stream stands in.
    ///
    /// # Safety
    ///
    /// There is such a stream.
    pub unsafe fn contexts(&self, stream: usize) -> [u32; CONTEXTS] {
        let last = self.last;
        let number = |stream: usize| unsafe { *self.numbers.as_ptr().add(stream) };
        let two = last % (1 << 16);
        let three = last % (1 << 24);
        let eight = hash(last, self.earlier);
        let [a, b, c, d, e] = match stream {
            INSTRUCTION => [two, last, self.whole, hash(three, number(I32)), eight],
            OTHER => [last % (1 << 8), two, three, last >> 8 & 0xffff, self.whole],
            GET | SET => [
                last % (1 << 8),
                hash(three, self.local),
                hash(last, self.other_local),
                hash(last, number(CALL)),
                hash(last, self.earlier % (1 << 16)),
            ],
            BLOCK | DECLARATION | MISC | LOAD | STORE => [
                last % (1 << 8),
                number(stream),
                hash(last % (1 << 8), number(stream)),
                hash(last, number(stream)),
                self.before,
            ],
            _ => [last, hash(three, number(CALL)), number(stream), hash(two, self.before), eight],
        };
        let place = hash(self.number, stream as u32 + 1);
        [hash(place, a), hash(place, b), hash(place, c), hash(place, d), hash(place, e)]
    }

    fn follow(&mut self, byte: u32) {
        self.earlier = self.earlier << 8 | self.last >> 24;
        self.last = self.last << 8 | byte;
    }

    /// # Safety
    ///
    /// There is such a stream.
    pub unsafe fn note(&mut self, stream: usize, byte: u8) {
        let byte = u32::from(byte);
        match stream {
            INSTRUCTION => {
                self.follow(byte);
                self.before = self.whole;
                self.whole = byte;
            }
            OTHER => {
                self.follow(byte);
                let letter = (byte | 32).wrapping_sub(97) < 26;
                self.whole = if letter { hash(self.whole, byte) } else { 0 };
            }
            _ => {
                self.whole = hash(self.whole, byte + 1);
                self.number = hash(self.number, byte + 1);
                unsafe { *self.numbers.as_mut_ptr().add(stream) = self.number };
                if stream == GET || stream == SET {
                    self.other_local = self.local;
                    self.local = byte + 1;
                }
                if byte < 0x80 {
                    self.number = 0;
                }
            }
        }
    }
}
