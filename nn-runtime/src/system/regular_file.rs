//! Regular files. Devices, FIFOs and sockets are refused: reading them may wait or never end.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// Opens a regular file for reading; symbolic links are followed.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    // Before it is opened, because opening a FIFO waits for a writer.
    check_regular(&fs::metadata(path)?)?;
    File::open(path)
}

/// Fails with what the file is, if it is no regular file.
pub(crate) fn check_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let kind =
        if metadata.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
    Err(io::Error::new(kind, format!("it is {}, not a regular file", kind_of(metadata))))
}

#[cfg(unix)]
fn kind_of(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () => "something else",
    }
}

#[cfg(not(unix))]
fn kind_of(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() { "a directory" } else { "something else" }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let error = |path: &str| open_regular(Path::new(path)).unwrap_err().to_string();
        assert_eq!(error("/dev/null"), "it is a device, not a regular file");
        assert_eq!(error("/"), "it is a directory, not a regular file");
        assert!(open_regular(&std::env::current_exe().unwrap()).is_ok());
    }
}
