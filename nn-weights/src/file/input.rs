//! [`Input`]: a reader with a buffer of fixed size.

use std::io::{self, Read};

/// The size of the buffer in bytes.
const BUFFER: usize = 1 << 17;

/// A reader with a buffer of fixed size. Unlike that of [`io::BufReader`] it can be asked for a number of bytes ahead,
/// and states how many there are at the end.
pub(super) struct Input<'r> {
    reader: &'r mut dyn Read,
    buffer: Box<[u8]>,
    /// The bytes of the buffer that are read and not yet used.
    begin: usize,
    end: usize,
}

impl<'r> Input<'r> {
    pub(super) fn new(reader: &'r mut dyn Read) -> Self {
        Self { reader, buffer: vec![0; BUFFER].into(), begin: 0, end: 0 }
    }

    /// The next `count` bytes, at most the buffer's size, which stay the next ones; fewer at the end.
    #[inline]
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.begin < count {
            self.fill(count)?;
        }
        let end = self.end.min(self.begin + count);
        Ok(&self.buffer[self.begin..end])
    }

    /// Skips bytes that [`peek`](Self::peek) has returned.
    #[inline]
    pub(super) fn skip(&mut self, count: usize) {
        self.begin += count;
    }

    /// Reads `count` bytes and drops them. Returns how many there were.
    pub(super) fn skip_unread(&mut self, count: usize) -> io::Result<usize> {
        let mut left = count;
        while left > 0 {
            let found = self.peek(left.min(BUFFER))?.len();
            if found == 0 {
                break;
            }
            self.skip(found);
            left -= found;
        }
        Ok(count - left)
    }

    fn fill(&mut self, count: usize) -> io::Result<()> {
        self.buffer.copy_within(self.begin..self.end, 0);
        self.end -= std::mem::take(&mut self.begin);
        while self.end < count {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The next `count` bytes; fewer at the end.
    pub(super) fn read(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let buffered = count.min((self.end - self.begin) as u64);
        let mut bytes = self.peek(buffered as usize)?.to_vec();
        self.skip(bytes.len());
        (&mut self.reader).take(count - buffered).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
