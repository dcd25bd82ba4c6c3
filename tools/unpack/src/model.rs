//! Guesses what a byte will be, bit by bit, from what was there before.
//!
//! A bit's probability is read off the sum of a few weights, one for each context that the byte stands in, and what the
//! bit turns out to be moves them. That is a logistic regression that learns as it goes, on both sides alike.
//!
//! More contexts make it hardly better: with nine, 0.1 %. Probabilities in the place of weights, which are mixed by how
//! often each was seen, take 1 % off with these contexts and 2.7 % with nine, and several times as long.

/// Kinds of bytes; each has a prefix code and contexts of its own.
pub const STREAMS: usize = 13;
pub const CONTEXTS: usize = 5;
/// Weights are looked up by hash, among so many for each context.
const PLACES: u32 = 1 << 19;
/// The first bits of a byte are guessed from weights that lie side by side: memory is slower than arithmetic.
const SIDE_BY_SIDE: u32 = 16;
/// How far a bit moves its weights, and how much further those that are moved for the first time.
const RATE: i32 = 600;
const FIRST_RATE: i32 = 1000;
/// The low bits of a weight count how often it was moved.
const MOVED: i32 = 7;
/// The last of the sums that probabilities are given for; 128 of them make a factor of e.
const LAST_SUM: i32 = 2047;

/// The bits of a byte are few where it is frequent.
#[repr(C)]
struct Code {
    /// How many bits each byte has, or 0.
    lengths: [u8; 256],
    /// How many bytes have one bit, two, and so on.
    counts: [u8; 15],
    /// The bytes, those of few bits first.
    bytes: [u8; 256],
}

static mut WEIGHTS: [i16; CONTEXTS * PLACES as usize] = [0; CONTEXTS * PLACES as usize];
/// Of a 1, in parts of 65,536.
static mut PROBABILITIES: [u16; LAST_SUM as usize + 1] = [0; LAST_SUM as usize + 1];
static mut CODES: [Code; STREAMS] =
    [const { Code { lengths: [0; 256], counts: [0; 15], bytes: [0; 256] } }; STREAMS];

/// What tells the bits, or takes them.
pub trait Bits {
    /// `probability` is that of a 1. Who tells the bits ignores `bit`; who takes them returns it.
    ///
    /// # Safety
    ///
    /// There is something to read, or room to write.
    unsafe fn bit(&mut self, probability: u32, bit: u32) -> u32;
}

pub fn hash(a: u32, b: u32) -> u32 {
    let mixed = (a ^ b.wrapping_mul(0x9e37_79b1)).wrapping_mul(0x85eb_ca6b);
    mixed ^ mixed >> 15
}

/// Fills the tables. Their numbers come out the same everywhere.
///
/// # Safety
///
/// There is one thread.
pub unsafe fn prepare() {
    let probabilities = (&raw mut PROBABILITIES).cast::<u16>();
    let mut odds = 1.0_f32;
    for place in 0..LAST_SUM as usize / 2 + 1 {
        let less = (65_536.0 / (1.0 + odds)) as u16;
        unsafe {
            *probabilities.add(LAST_SUM as usize / 2 - place) = less;
            *probabilities.add(LAST_SUM as usize / 2 + 1 + place) = u16::MAX - less;
        }
        odds *= 1.007_843;
    }
}

/// The next bit of a byte, of which `node` has those before it, after a 1.
#[inline(always)]
unsafe fn bit(bits: &mut impl Bits, contexts: &[u32; CONTEXTS], node: u32, wanted: u32) -> u32 {
    let [a, b, c, d, e] = *contexts;
    let side = (node / SIDE_BY_SIDE).wrapping_mul(0x9e37_79b0);
    let place = |context: u32| ((context ^ side) % PLACES) ^ (node % SIDE_BY_SIDE);
    unsafe {
        let weights = (&raw mut WEIGHTS).cast::<i16>();
        let (a, b, c, d, e) = (
            weights.add(place(a) as usize),
            weights.add((place(b) + PLACES) as usize),
            weights.add((place(c) + 2 * PLACES) as usize),
            weights.add((place(d) + 3 * PLACES) as usize),
            weights.add((place(e) + 4 * PLACES) as usize),
        );
        let sum = i32::from(*a) + i32::from(*b) + i32::from(*c) + i32::from(*d) + i32::from(*e);
        let place = ((sum >> 4) + LAST_SUM / 2 + 1).clamp(0, LAST_SUM);
        let probability = *(&raw const PROBABILITIES).cast::<u16>().add(place as usize);
        let bit = bits.bit(probability.into(), wanted);
        let error = (bit << 16) as i32 - i32::from(probability);
        let (step, first) = (error * RATE + 0x8000, error * FIRST_RATE);
        learn(a, step, first);
        learn(b, step, first);
        learn(c, step, first);
        learn(d, step, first);
        learn(e, step, first);
        bit
    }
}

/// Moves a weight, and counts that.
#[inline(always)]
unsafe fn learn(weight: *mut i16, step: i32, first: i32) {
    unsafe {
        let before = i32::from(*weight);
        let moved = before & MOVED;
        let step = (step + (first >> moved)) >> 16 & !MOVED;
        *weight = (before + step + i32::from(moved < MOVED)) as i16;
    }
}

/// The next byte of a stream. Who takes bits has those of the byte in `wanted`, the first one on top.
///
/// # Safety
///
/// See [`Bits`] and [`prepare`]; the stream's code is known.
pub unsafe fn byte(bits: &mut impl Bits, stream: usize, contexts: &[u32; CONTEXTS], mut wanted: u32) -> u8 {
    unsafe {
        let code = (&raw const CODES).cast::<Code>().add(stream);
        let mut count = (&raw const (*code).counts).cast::<u8>();
        let mut bytes = (&raw const (*code).bytes).cast::<u8>();
        let (mut node, mut offset) = (1, 0);
        loop {
            let bit = bit(bits, contexts, node, wanted >> 31);
            wanted <<= 1;
            node = node * 2 + bit;
            // From the first code of this length: codes of one length follow each other.
            offset = offset * 2 + bit;
            if offset < u32::from(*count) {
                return *bytes.add(offset as usize);
            }
            offset -= u32::from(*count);
            bytes = bytes.add(*count as usize);
            count = count.add(1);
        }
    }
}

/// The lengths of a stream's codes, as many as there are bytes; who takes bits has set them.
///
/// # Safety
///
/// There is one thread.
pub unsafe fn lengths(stream: usize) -> *mut u8 {
    unsafe { (&raw mut CODES).cast::<Code>().add(stream).cast() }
}

/// Passes on how long a stream's codes are, and makes them.
///
/// # Safety
///
/// See [`Bits`] and [`prepare`].
pub unsafe fn code(bits: &mut impl Bits, stream: usize) {
    unsafe {
        let lengths = lengths(stream);
        let mut before = 0;
        for byte in 0..256 {
            let length = lengths.add(byte);
            let above = if stream > 0 { u32::from(*length.sub(size_of::<Code>())) } else { 0 };
            let contexts = [
                hash(before, 1),
                hash(before % 16, above + 2),
                hash(above, 3),
                hash(0, 4),
                hash(before % 16, 5),
            ];
            let mut node = 1_u32;
            while node < 16 {
                let wanted = u32::from(*length) << 28 << node.ilog2() >> 31;
                node = node * 2 + bit(bits, &contexts, node, wanted);
            }
            *length = node as u8 % 16;
            before = (before * 16 + node % 16) % 256;
        }
        let code = (&raw mut CODES).cast::<Code>().add(stream);
        let mut next = (&raw mut (*code).bytes).cast::<u8>();
        for length in 1..16 {
            for byte in 0..256 {
                if *lengths.add(byte) == length {
                    *next = byte as u8;
                    next = next.add(1);
                    *(&raw mut (*code).counts).cast::<u8>().add(length as usize - 1) += 1;
                }
            }
        }
    }
}
