//! Atomic writes: a file has its old content or all of its new content.
//!
//! The new content goes to a temporary file beside the file, which is then renamed. The crate `tempfile` gives temporary
//! files random names, so that every killed process leaves one more, and renames over anything, a device too. Here the
//! name depends on the file only.

use crate::system::check_regular;
use std::fs::{self, File, Metadata, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

/// The end of the names of temporary files.
const SUFFIX: &str = ".unrolled-part";

/// The longest name that a temporary file's name contains, in bytes. With the suffix it fits the limits of all file
/// systems: 255 bytes in most, 143 in eCryptfs.
const MAX_NAME: usize = 100;

/// Replaces the regular file `path`, or creates it, with what `write_content` writes. Symbolic links are followed.
///
/// A file that was there keeps its mode, owner and group. Where that is not permitted, or the file cannot be renamed
/// because it is a mount point, its content is overwritten in place, which is not atomic.
pub(super) fn write(
    path: &Path,
    write_content: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let (path, old) = resolve(path)?;
    let (temporary, mut file) = create_temporary(&path, old.is_some())?;
    let written =
        write_content(&mut file).and_then(|()| install(&mut file, &temporary, old.as_ref(), &path));
    if written.is_err() {
        // The first error is the one to report; if this fails, too, the temporary file is left.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // The file is complete; that its new name survives a power failure is best effort, because opening a folder needs the
    // permission to read it, and only Unix can sync folders.
    if let Ok(folder) = File::open(folder_of(&path)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// The path without symbolic links, and the regular file that is there, if any.
fn resolve(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    let error = match fs::metadata(path) {
        Ok(metadata) => {
            check_regular(&metadata)?;
            return Ok((fs::canonicalize(path)?, Some(metadata)));
        }
        Err(error) => error,
    };
    if fs::symlink_metadata(path).is_ok() {
        let text = format!("it is a link that cannot be followed: {error}");
        return Err(io::Error::new(error.kind(), text));
    }
    match error.kind() {
        io::ErrorKind::NotFound => Ok((path.to_owned(), None)),
        _ => Err(error),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The path of the temporary file for `path`, always the same.
fn temporary_path(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
    let mut temporary = std::ffi::OsString::from(".");
    if name.len() <= MAX_NAME {
        temporary.push(name);
    } else {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        temporary.push(format!("{:016x}", hasher.finish()));
    }
    temporary.push(SUFFIX);
    Ok(path.with_file_name(temporary))
}

/// Creates and locks the temporary file for `path`. Removes one that a killed process left; if another thread or process
/// writes to `path` now, waits for it.
fn create_temporary(path: &Path, private: bool) -> io::Result<(PathBuf, File)> {
    let temporary = temporary_path(path)?;
    let in_temporary = |error: io::Error| {
        io::Error::new(error.kind(), format!("`{}`: {error}", temporary.display()))
    };
    loop {
        match create_new(&temporary, private) {
            Ok(file) => {
                lock(&file);
                // Between creation and lock another one may have locked and removed it.
                if is_at(&file, &temporary) {
                    return Ok((temporary, file));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                remove_unlocked(&temporary).map_err(in_temporary)?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Creates a file. A private one can only be read by its owner: its final mode is not yet set.
fn create_new(path: &Path, private: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(path)
}

/// Removes the temporary file that a killed process has left for `path`, if there is one.
pub(super) fn remove_temporary(path: &Path) -> io::Result<()> {
    remove_unlocked(&temporary_path(path)?)
}

/// Removes a temporary file as soon as no process has a lock on it.
fn remove_unlocked(temporary: &Path) -> io::Result<()> {
    let result = fs::symlink_metadata(temporary).and_then(|metadata| {
        check_regular(&metadata)?;
        let file = File::open(temporary)?;
        lock(&file);
        if is_at(&file, temporary) { fs::remove_file(temporary) } else { Ok(()) }
    });
    match result {
        // Its process has renamed or removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Waits for the lock on a file, which ends with the process. Some network file systems have no locks; without them two
/// processes must not write to the same path at the same time.
fn lock(file: &File) {
    while file.lock().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {}
}

/// Whether an open file still has the name `path`.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    same_file(&open, &named)
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_file(_a: &Metadata, _b: &Metadata) -> bool {
    true // `std` cannot compare files there: the name exists
}

/// Gives `file` the owner, group and mode of the file that it replaces.
fn copy_attributes(old: &Metadata, file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
    }
    // After the owner: changing it clears the bits that run a file as its owner.
    file.set_permissions(old.permissions())
}

/// Makes the temporary file the file `path`, which was `old`. Nothing is left at the path `temporary`.
fn install(
    file: &mut File,
    temporary: &Path,
    old: Option<&Metadata>,
    path: &Path,
) -> io::Result<()> {
    let keeps = old.is_none_or(|old| copy_attributes(old, file).is_ok());
    file.sync_all()?;
    if keeps {
        match fs::rename(temporary, path) {
            // A mount point, such as a single file that is mounted into a container.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
            result => return result,
        }
    }
    overwrite(file, path)?;
    fs::remove_file(temporary)
}

/// Copies the content of the temporary file `from` into the file `path`.
fn overwrite(from: &mut File, path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut copy = || {
        from.rewind()?;
        let len = io::copy(from, &mut file)?;
        file.set_len(len)?;
        file.sync_all()
    };
    copy().map_err(|error| {
        let text = format!("it could only be written in place and is now incomplete: {error}");
        io::Error::new(error.kind(), text)
    })
}

#[cfg(test)]
#[path = "atomic_tests.rs"]
mod tests;
