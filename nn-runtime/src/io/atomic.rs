//! Atomic writes: a file has its old content or all of its new content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Writes `bytes` to a temporary file beside `path`, syncs it to the disk, and renames it to `path`.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A symbolic link stays one: the file that it points to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (beside, mut file) = create_beside(&path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    let renamed = written.and_then(|()| fs::rename(&beside, &path));
    if renamed.is_err() {
        // The first error is the one to report; if this fails too, the temporary file is left.
        let _ = fs::remove_file(&beside);
    }
    renamed.and_then(|()| sync_folder(&path))
}

/// Creates a file with an unused name in the folder of `path`.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
    loop {
        let mut beside = name.to_owned();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        beside.push(format!(".{}-{count}.part", process::id()));
        let beside = path.with_file_name(beside);
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (beside, file)),
        }
    }
}

/// Syncs the folder, so that the new name survives a power failure. Only Unix can sync folders.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
