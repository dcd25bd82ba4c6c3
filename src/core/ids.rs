//! Job ids: version 4 UUIDs made from a pool of random bytes, so that an id costs no call to the
//! host's random source of its own.

use uuid::Builder;

const POOL: usize = 4_096;
const ID: usize = 16;

/// Random bytes not yet used up.
pub struct IdPool {
    bytes: Box<[u8; POOL]>,
    used: usize,
}

impl Default for IdPool {
    fn default() -> Self {
        IdPool { bytes: Box::new([0; POOL]), used: POOL }
    }
}

impl IdPool {
    /// The next id. `fill` is asked for fresh random bytes when the pool is used up; its error is passed on.
    pub fn next<E>(&mut self, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<String, E> {
        if self.used + ID > POOL {
            fill(&mut self.bytes[..])?;
            self.used = 0;
        }
        let mut random = [0; ID];
        random.copy_from_slice(&self.bytes[self.used..self.used + ID]);
        // Bytes that became an id are wiped: nothing that reads this memory later can find it.
        self.bytes[self.used..self.used + ID].fill(0);
        self.used += ID;
        Ok(Builder::from_random_bytes(random).into_uuid().hyphenated().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_version_4_and_differ_across_refills() {
        let mut pool = IdPool::default();
        let mut byte = 0u8;
        let mut fills = 0;
        let ids: HashSet<String> = (0..1_000)
            .map(|_| {
                pool.next(|bytes| {
                    fills += 1;
                    for b in bytes {
                        byte = byte.wrapping_mul(61).wrapping_add(17).rotate_left(3) ^ fills as u8;
                        *b = byte;
                    }
                    Ok::<(), ()>(())
                })
                .unwrap()
            })
            .collect();
        assert_eq!(fills, 1_000usize.div_ceil(POOL / ID));
        assert!(ids.len() > 200);
        assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).unwrap().get_version_num() == 4));
    }

    #[test]
    fn a_failing_source_is_passed_on_and_the_next_call_works() {
        let mut pool = IdPool::default();
        assert_eq!(pool.next(|_| Err("no randomness")), Err("no randomness"));
        assert!(pool.next(|_| Ok::<(), ()>(())).is_ok());
    }
}
