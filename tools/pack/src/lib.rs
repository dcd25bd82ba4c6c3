//! Writes a wasm module as a text that is short and stands for itself in JavaScript; `tools/unpack` reads it.
//!
//! It is wasm too, so that both sides compute alike to the last bit.

#![cfg(target_arch = "wasm32")]
#![no_std]

use jobwright_unpack::{
    SHORT, SMALL,
    history::{History, INSTRUCTION, MISC},
    model::{self, Bits, STREAMS},
    module::{Module, Source, UNKNOWN, kind_of},
};

/// The longest code that a byte may have.
const LONGEST: u8 = 15;

static mut UNKNOWN_INSTRUCTION: u32 = 0;

/// What the module holds that this doesn't know, when [`pack`] has trapped: an instruction, or 0xfc00 and the number after
/// the prefix 0xfc.
#[unsafe(no_mangle)]
pub extern "C" fn unknown() -> u32 {
    unsafe { UNKNOWN_INSTRUCTION }
}

/// Packs a module, of which `before` and `after` bytes stand around the code section's size and content. Answers how long
/// the text is. `plain` gets the module as it will be unpacked; `bits` is for work.
///
/// # Safety
///
/// There is room for a text and a module twice as long, and for the text's bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pack(
    module: *const u8,
    before: usize,
    after: usize,
    plain: *mut u8,
    bits: *mut u8,
    text: *mut u8,
) -> usize {
    unsafe {
        let mut counter =
            Module { source: Counter { next: module, counts: [[0; 256]; STREAMS], last: 0 }, at: plain };
        counter.whole(before, after);
        model::prepare();
        let mut letters = Letters { at: bits, part: 1, low: 0, interval: u32::MAX };
        for (stream, counts) in counter.source.counts.into_iter().enumerate() {
            set_lengths(counts, model::lengths(stream));
            model::code(&mut letters, stream);
        }
        letters.number(before);
        letters.number(after);
        let source = Packed { next: module, letters, history: History::NOTHING };
        let mut packed = Module { source, at: plain };
        packed.whole(before, after);
        packed.source.letters.end(bits, text)
    }
}

unsafe fn next_of(from: &mut *const u8) -> u8 {
    unsafe {
        let byte = **from;
        *from = from.add(1);
        byte
    }
}

unsafe fn skip_number(from: &mut *const u8) {
    while unsafe { next_of(from) } >= 0x80 {}
}

/// Reads the module, to learn how frequent bytes are.
struct Counter {
    next: *const u8,
    counts: [[u32; 256]; STREAMS],
    last: u8,
}

impl Source for Counter {
    unsafe fn byte(&mut self, stream: usize) -> u8 {
        let byte = unsafe { next_of(&mut self.next) };
        self.counts[stream][usize::from(byte)] += 1;
        let unknown = match stream {
            INSTRUCTION if kind_of(byte) == UNKNOWN => u32::from(byte),
            MISC if self.last == 0xfc && byte > 17 => 0xfc00 | u32::from(byte),
            _ => 0,
        };
        if unknown > 0 {
            unsafe { UNKNOWN_INSTRUCTION = unknown };
            core::arch::wasm32::unreachable();
        }
        self.last = if stream == INSTRUCTION { byte } else { 0 };
        byte
    }

    unsafe fn skip_number(&mut self) {
        unsafe { skip_number(&mut self.next) };
    }
}

/// Makes a prefix code by Huffman's rule. Where it is too long, frequencies that differ less give a shorter one.
unsafe fn set_lengths(mut counts: [u32; 256], lengths: *mut u8) {
    loop {
        let found = lengths_of(&counts);
        if found.iter().all(|length| *length <= LONGEST) {
            return unsafe { core::ptr::copy_nonoverlapping(found.as_ptr(), lengths, 256) };
        }
        for count in &mut counts {
            *count = count.div_ceil(2);
        }
    }
}

fn lengths_of(counts: &[u32; 256]) -> [u8; 256] {
    let mut lengths = [0; 256];
    // Each byte belongs to a tree, named by one of its bytes; a tree weighs what its bytes do.
    let mut trees = [0_usize; 256];
    let mut weights = *counts;
    for (byte, tree) in trees.iter_mut().enumerate() {
        *tree = byte;
    }
    let lightest =
        |weights: &[u32; 256]| (0..256).filter(|tree| weights[*tree] > 0).min_by_key(|tree| weights[*tree]);
    while let Some(one) = lightest(&weights) {
        let weight = core::mem::take(&mut weights[one]);
        let Some(other) = lightest(&weights) else {
            // A byte that is alone still needs a bit.
            lengths[one] = lengths[one].max(1);
            break;
        };
        weights[other] += weight;
        for (byte, tree) in trees.iter_mut().enumerate() {
            if *tree == one || *tree == other {
                *tree = other;
                lengths[byte] += u8::from(counts[byte] > 0);
            }
        }
    }
    lengths
}

/// The bits of a byte, the first one on top.
unsafe fn bits_of(stream: usize, byte: u8) -> u32 {
    let length_of = |byte: usize| unsafe { *model::lengths(stream).add(byte) };
    let length = length_of(usize::from(byte));
    let mut code = 0;
    for other in 0..256 {
        let shorter = length_of(other);
        if shorter > 0 && (shorter < length || shorter == length && other < usize::from(byte)) {
            code += 1 << (32 - u32::from(shorter));
        }
    }
    code
}

struct Packed {
    next: *const u8,
    letters: Letters,
    history: History,
}

impl Source for Packed {
    unsafe fn byte(&mut self, stream: usize) -> u8 {
        unsafe {
            let byte = next_of(&mut self.next);
            let contexts = self.history.contexts(stream);
            model::byte(&mut self.letters, stream, &contexts, bits_of(stream, byte));
            self.history.note(stream, byte);
            byte
        }
    }

    unsafe fn skip_number(&mut self) {
        unsafe { skip_number(&mut self.next) };
    }
}

struct Letters {
    /// Where the next eight bits are written.
    at: *mut u8,
    /// Those of them that are known, after a 1.
    part: u32,
    /// Where the interval begins, behind the bits that are certain.
    low: u64,
    interval: u32,
}

impl Letters {
    /// Writes what is certain of the interval's beginning.
    unsafe fn refine(&mut self) {
        unsafe {
            if self.low >> 32 > 0 {
                self.carry();
            }
            self.part = self.part << 1 | (self.low >> 31 & 1) as u32;
            if self.part >> 8 > 0 {
                *self.at = self.part as u8;
                self.at = self.at.add(1);
                self.part = 1;
            }
            self.low = self.low << 1 & 0xffff_ffff;
        }
    }

    /// What carries over is added to the bits before.
    unsafe fn carry(&mut self) {
        unsafe {
            self.part += 1;
            // The 1 before the bits has moved on, where all of them were ones.
            if self.part.is_power_of_two() {
                self.part >>= 1;
                let mut before = self.at.sub(1);
                while *before == 0xff {
                    *before = 0;
                    before = before.sub(1);
                }
                *before += 1;
            }
        }
    }

    unsafe fn number(&mut self, number: usize) {
        for bit in (0..24).rev() {
            unsafe { self.bit(1 << 15, (number >> bit & 1) as u32) };
        }
    }

    /// Writes the bits as letters.
    unsafe fn end(&mut self, bits: *const u8, text: *mut u8) -> usize {
        unsafe {
            // The last ones may be anything, but are read.
            for _ in 0..48 {
                self.refine();
            }
            let count = (self.at.offset_from_unsigned(bits) - 1) * 8;
            let bit = |at: usize| u32::from(*bits.add(at / 8) >> (7 - at % 8) & 1);
            let (mut at, mut length) = (0, 0);
            while at < count {
                let mut place = 0;
                for next in 0..6 {
                    place = place << 1 | bit(at + next);
                }
                at += 6;
                if place >= SHORT {
                    place = (place << 1 | bit(at)) - SHORT;
                    at += 1;
                }
                let letter = place as u8 + 32;
                *text.add(length) = letter + u8::from(letter >= 39) + u8::from(letter >= 91);
                length += 1;
            }
            length
        }
    }
}

impl Bits for Letters {
    unsafe fn bit(&mut self, probability: u32, bit: u32) -> u32 {
        let part = (self.interval >> 16) * probability;
        if bit == 1 {
            self.interval = part;
        } else {
            self.low += u64::from(part);
            self.interval -= part;
        }
        while self.interval < SMALL {
            self.interval <<= 1;
            unsafe { self.refine() };
        }
        bit
    }
}
