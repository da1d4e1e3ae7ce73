use super::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// A folder of one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("nn-runtime-atomic-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn write_text(path: &Path, text: &str) -> io::Result<()> {
    write(path, |file| io::Write::write_all(file, text.as_bytes()))
}

fn error(path: &Path) -> String {
    write_text(path, "new").unwrap_err().to_string()
}

#[test]
fn files_are_created_and_replaced() {
    let folder = Folder::new();
    let path = folder.file("net");
    for text in ["one", "two", ""] {
        write_text(&path, text).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert_eq!(folder.names(), ["net"]);
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_else() {
    let folder = Folder::new();
    let path = folder.file("net");
    fs::write(&path, "old").unwrap();
    let failed = write(&path, |file| {
        io::Write::write_all(file, b"half")?;
        Err(io::ErrorKind::StorageFull.into())
    });
    assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(folder.names(), ["net"]);
    assert!(write_text(&folder.file("no such folder").join("net"), "new").is_err());
}

#[test]
fn directories_are_refused() {
    let folder = Folder::new();
    assert_eq!(error(&folder.0), "it is a directory, not a regular file");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn the_next_write_removes_the_temporary_file_of_a_killed_one() {
    let folder = Folder::new();
    for name in ["net", &"n".repeat(255)] {
        let path = folder.file(name);
        fs::write(temporary_path(&path).unwrap(), "half").unwrap();
        write_text(&path, "new").unwrap();
        assert_eq!(folder.names(), [name]);
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(temporary_path("a/net".as_ref()).unwrap(), Path::new("a/.net.unrolled-part"));
}

#[test]
fn writes_to_one_path_wait_for_each_other() {
    let folder = Folder::new();
    let path = folder.file("net");
    let texts: Vec<String> = (0..8).map(|i| format!("{i}").repeat(10_000 + i)).collect();
    thread::scope(|scope| {
        for text in &texts {
            scope.spawn(|| (0..4).for_each(|_| write_text(&path, text).unwrap()));
        }
    });
    assert!(texts.contains(&fs::read_to_string(&path).unwrap()));
    assert_eq!(folder.names(), ["net"]);
}

#[test]
fn a_file_is_overwritten_in_place() {
    let folder = Folder::new();
    let path = folder.file("net");
    fs::write(&path, "old and longer").unwrap();
    let before = File::open(&path).unwrap();
    let (temporary, mut file) = create_temporary(&path, true).unwrap();
    io::Write::write_all(&mut file, b"new").unwrap();
    overwrite(&mut file, &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert!(is_at(&before, &path) && is_at(&file, &temporary));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    #[test]
    fn only_regular_files_are_replaced() {
        let folder = Folder::new();
        let (fifo, socket) = (folder.file("fifo"), folder.file("socket"));
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let _listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(error(&fifo), "it is a FIFO, not a regular file");
        assert_eq!(error(&socket), "it is a socket, not a regular file");
        assert_eq!(folder.names(), ["fifo", "socket"]);
        // Not `write`: as root, a mistake would replace the device.
        let device = resolve("/dev/null".as_ref()).unwrap_err().to_string();
        assert_eq!(device, "it is a device, not a regular file");
    }

    #[test]
    fn links_are_followed_or_refused() {
        let folder = Folder::new();
        let (target, link) = (folder.file("target"), folder.file("link"));
        fs::write(&target, "old").unwrap();
        symlink("target", &link).unwrap();
        write_text(&link, "new").unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("target"));
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");

        let (dangling, looping) = (folder.file("dangling"), folder.file("looping"));
        symlink("no such file", &dangling).unwrap();
        symlink("looping", &looping).unwrap();
        for link in [dangling, looping] {
            let error = error(&link);
            assert!(error.starts_with("it is a link that cannot be followed: "), "{error}");
        }
        assert_eq!(folder.names(), ["dangling", "link", "looping", "target"]);
    }

    /// A link in a folder that others can write to must not lead a write to another file.
    #[test]
    fn a_link_in_place_of_the_temporary_file_is_not_followed() {
        let folder = Folder::new();
        let (path, other) = (folder.file("net"), folder.file("other"));
        fs::write(&other, "kept").unwrap();
        symlink(&other, temporary_path(&path).unwrap()).unwrap();
        let error = error(&path);
        assert!(
            error.ends_with("unrolled-part`: it is a symbolic link, not a regular file"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&other).unwrap(), "kept");
    }

    #[test]
    fn mode_and_owner_stay() {
        let folder = Folder::new();
        let path = folder.file("net");
        fs::write(&path, "old").unwrap();
        let is_root = fs::metadata(&path).unwrap().uid() == 0;
        let expected = if is_root { (1234, 2345) } else { owner(&path) };
        chown(&path, Some(expected.0), Some(expected.1)).unwrap();
        for mode in [0o600, 0o640, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            write_text(&path, "new").unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
            assert_eq!(owner(&path), expected);
        }
    }

    fn owner(path: &Path) -> (u32, u32) {
        let metadata = fs::metadata(path).unwrap();
        (metadata.uid(), metadata.gid())
    }

    /// As root this is no test: root can read all folders.
    #[test]
    fn folders_without_read_permission_are_written_to() {
        let folder = Folder::new();
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o300)).unwrap();
        let written = write_text(&folder.file("net"), "new");
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o700)).unwrap();
        written.unwrap();
        assert_eq!(folder.names(), ["net"]);
    }
}
