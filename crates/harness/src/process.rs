//! A server in a process of its own: a process group of its own too, so that Ctrl-C reaches whoever started it, who then stops it in
//! order. It dies with its parent, where the machine has util-linux' `setpriv`.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

/// How long it gets to obey SIGTERM.
const GRACE: Duration = Duration::from_secs(3);

/// A running process. Dropping it stops it: SIGTERM, after three seconds SIGKILL.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` in `dir`; what it prints goes to the file `log`.
    pub(crate) fn start(program: &Path, arguments: &[&str], dir: &Path, log: &Path) -> io::Result<Self> {
        let (out, err) = File::create(log).and_then(|file| Ok((file.try_clone()?, file)))?;
        let mut command = command(program);
        command.args(arguments).current_dir(dir).process_group(0);
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        Ok(Self { child: spawn(command)?, log: log.to_path_buf() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read(&self.log)
            .map_or_else(|_| String::new(), |log| String::from_utf8_lossy(&log).into_owned())
    }

    /// User and system time so far, from `/proc/<pid>/stat`.
    pub(crate) fn cpu_time(&self) -> io::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1)))
    }

    /// Stops it for good; the child is reaped, so the pid can't have become somebody else's.
    pub(crate) fn stop(&mut self) {
        let start = Instant::now();
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if self.exited().is_none()
            && let Some(pid) = pid
        {
            // It fails only where the process is gone, which is what is asked for.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        while self.exited().is_none() {
            if start.elapsed() > GRACE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A command that dies with this process, if the machine has the tool for it: asking the kernel for that between fork and exec
/// would need unsafe code, so util-linux' `setpriv` asks and then becomes the program, under the same pid.
fn command(program: &Path) -> Command {
    static HAS_SETPRIV: OnceLock<bool> = OnceLock::new();
    let has_setpriv = HAS_SETPRIV.get_or_init(|| {
        let mut probe = Command::new("setpriv");
        probe
            .args(["--pdeathsig", "KILL", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    });
    if *has_setpriv {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

type Job = (Command, Sender<io::Result<Child>>);

/// Spawns from a thread that lives as long as the process. The kernel sends the death signal when the *thread* that forked is
/// gone, and a test's thread goes with its test, which may be long before the last user of an Envoy that tests share.
fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, queue) = mpsc::channel::<Job>();
        // Without the thread the queue's end is dropped, and sending below fails.
        let _ = std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            for (mut command, answer) in queue {
                let _ = answer.send(command.spawn());
            }
        });
        jobs
    });
    let gone = || io::Error::other("no thread to start processes from");
    let (answer, answered) = mpsc::channel();
    spawner.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}
