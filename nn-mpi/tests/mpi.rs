//! Ranks that `mpirun` starts: messages, runs, and the failures that end them. Each test starts this program again, once
//! for each rank.

#[path = "mpi/job.rs"]
mod job;
#[path = "mpi/rank.rs"]
mod rank;

use job::Job;

#[test]
#[ignore = "what ranks run, which the other tests start"]
fn on_rank() {
    rank::run();
}

#[test]
fn messages_of_all_lengths_arrive_in_order() {
    for ranks in [1, 2, 4] {
        Job::new("messages", ranks).succeeds();
    }
}

#[test]
fn messages_longer_than_a_part_arrive() {
    Job::new("long messages", 2).succeeds();
}

#[test]
fn a_rank_may_be_ahead_of_the_others() {
    Job::new("rank ahead", 3).succeeds();
}

#[test]
fn gradients_are_summed() {
    Job::new("sum of gradients", 3).succeeds();
}

#[test]
fn a_killed_rank_is_named_and_the_run_continues_on_other_numbers_of_ranks() {
    let job = Job::new("train", 3).fault("kill");
    // `mpirun` ends the others.
    job.fails("process rank 1 ");
    job.fails("signal 9 (Killed)");
    job.continues(2);
}

#[test]
fn a_rank_that_hangs_is_named_by_all_others() {
    let job = Job::new("train", 4).fault("stop");
    job.fails_on(&[0, 2, 3], "rank 1 has not answered for 8");
    job.continues(3);
}

#[test]
fn a_rank_that_panics_is_named_by_all_others() {
    let job = Job::new("train", 3).fault("panic");
    job.fails_on(&[0, 2], "rank 1 ended with an error: it panicked");
    job.continues(1);
}

#[test]
fn an_error_of_one_rank_is_reported_by_all() {
    let job = Job::new("train", 3).fault("no checkpoint");
    job.fails_on(&[0, 1, 2], "the checkpoint cannot be written");
    job.fails_on(&[1, 2], "rank 0 ended with an error");
    let job = Job::new("train", 3).fault("target");
    job.fails_on(&[0, 1, 2], "training data: target 7: expected a class index below 3");
    job.fails_on(&[0, 2], "rank 1 ended with an error");
}

#[test]
fn an_error_before_training_is_printed() {
    let job = Job::new("train", 3).fault("early error");
    job.fails_on(&[1], "no such data");
    job.fails_on(&[0, 2], "rank 1 has ended");
}

#[test]
fn other_arguments_are_named_with_both_values() {
    for (fault, difference) in [
        ("other batch", "batch size: expected 12, found 13"),
        ("other samples", "number of training samples: expected 60, found 59"),
    ] {
        let job = Job::new("train", 3).fault(fault);
        job.fails_on(&[0, 1, 2], "rank 1 trains something else");
        job.fails(difference);
    }
    Job::new("longer message", 2).fails_on(&[0], "rank 1 sent 9 bytes, expected 8");
}
