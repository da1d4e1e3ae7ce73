//! [`Job`]: a program that `mpirun` runs on several ranks.

use std::cell::OnceCell;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, SystemTime};
use std::{env, thread};

/// After a fault all ranks end within this time.
const LIMIT: Duration = Duration::from_secs(10);

/// When a job is stopped because it does not end.
const END: Duration = Duration::from_secs(40);

/// A program on several ranks: see [`rank::run`](crate::rank::run).
pub(crate) struct Job {
    program: &'static str,
    fault: &'static str,
    ranks: usize,
    /// Its files, removed after it.
    folder: PathBuf,
    result: OnceCell<Ended>,
}

struct Ended {
    status: ExitStatus,
    output: String,
    at: SystemTime,
}

impl Job {
    pub(crate) fn new(program: &'static str, ranks: usize) -> Self {
        Self { program, fault: "", ranks, folder: PathBuf::new(), result: OnceCell::new() }
            .in_own_folder()
    }

    /// One rank has a fault.
    pub(crate) fn fault(mut self, fault: &'static str) -> Self {
        self.fault = fault;
        self.in_own_folder()
    }

    fn in_own_folder(mut self) -> Self {
        let Self { program, fault, ranks, .. } = &self;
        let name = format!("unrolled-mpi {} {program} {fault} {ranks}", std::process::id());
        self.folder = env::temp_dir().join(name.replace(' ', "-"));
        self
    }

    pub(crate) fn succeeds(&self) {
        let Ended { status, output, .. } = self.ended();
        assert!(status.success(), "{}: {status}\n{output}", self.program);
    }

    /// Checks that each of these ranks prints an error that contains `message`.
    pub(crate) fn fails_on(&self, ranks: &[usize], message: &str) {
        for rank in ranks {
            let begin = format!("rank {rank}: ");
            // Not at the beginning: the line may follow the name of the test, which ends without a line break.
            let is_report = |line: &str| line.contains(&begin) && line.contains(message);
            self.fails_with(&format!("{begin}..{message}"), |output| output.lines().any(is_report));
        }
    }

    /// Checks that all ranks end in time, and that something prints `message`.
    pub(crate) fn fails(&self, message: &str) {
        self.fails_with(message, |output| output.contains(message));
    }

    fn fails_with(&self, message: &str, is_printed: impl Fn(&str) -> bool) {
        let Ended { status, output, at } = self.ended();
        let fault = self.fault;
        assert!(!status.success(), "{fault}: {status}\n{output}");
        assert!(is_printed(output), "{fault}: expected `{message}`, found\n{output}");
        let begin = fs::metadata(self.folder.join("fault")).and_then(|file| file.modified());
        let taken = at.duration_since(begin.expect("the fault")).unwrap_or_default();
        assert!(taken < LIMIT, "{fault}: {taken:?} until all ranks ended\n{output}");
    }

    /// Checks that the last checkpoint of a job that failed leads to the weights of one that was not interrupted.
    pub(crate) fn continues(&self, ranks: usize) {
        let whole = Self::new("train", ranks);
        whole.succeeds();
        let weights = |job: &Self| fs::read(job.folder.join("weights")).expect("weights");
        assert!(fs::exists(self.folder.join("checkpoints/last.ckpt")).unwrap());
        self.start("train", "", ranks);
        assert!(weights(self) == weights(&whole), "{}: other weights", self.fault);
    }

    fn ended(&self) -> &Ended {
        self.result.get_or_init(|| {
            fs::create_dir_all(&self.folder).expect("a folder for temporary files");
            self.start(self.program, self.fault, self.ranks)
        })
    }

    fn start(&self, program: &str, fault: &str, ranks: usize) -> Ended {
        let log = self.folder.join("log");
        let file = File::create(&log).expect("a file");
        let child = Command::new("mpirun")
            .args(["--oversubscribe", "--bind-to", "none", "-n", &ranks.to_string()])
            .arg(env::current_exe().expect("this program"))
            .args(["on_rank", "--exact", "--ignored", "--nocapture"])
            .envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")])
            .envs([("TEST_PROGRAM", program), ("TEST_FAULT", fault), ("UNROLLED_THREADS", "1")])
            .env("TEST_FOLDER", &self.folder)
            .stdout(file.try_clone().expect("a file"))
            .stderr(file)
            .spawn();
        let status = end(child.expect("`mpirun` is installed"));
        let at = SystemTime::now();
        Ended { status, output: fs::read_to_string(log).expect("text"), at }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Waits until a job has ended.
fn end(mut child: Child) -> ExitStatus {
    let begin = SystemTime::now();
    loop {
        if let Some(status) = child.try_wait().expect("a process") {
            return status;
        }
        if begin.elapsed().unwrap_or_default() > END {
            // `mpirun` ends its ranks then.
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            return child.wait().expect("a process");
        }
        thread::sleep(Duration::from_millis(20));
    }
}
