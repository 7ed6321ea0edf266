//! The cost of memory: the allocator of every Rust server, beside the system's. Both are called
//! directly, since a program has one for everything else.
#![allow(unsafe_code, reason = "to ask an allocator directly is unsafe")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::VecDeque;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use mimalloc::MiMalloc;

use super::Group;

/// Bytes of a short answer.
const ANSWER: usize = 256;

/// Bytes of a buffer to read into or to write from, as hyper first allocates it.
const BUFFER: usize = 8 * 1024;

pub(crate) fn allocators(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("allocator");
    group.throughput(Throughput::Elements(1));
    measure(&mut group, "mimalloc", &MiMalloc);
    measure(&mut group, "system", &System);
    group.finish();
}

fn measure(group: &mut Group, name: &str, allocator: &impl GlobalAlloc) {
    group.bench_function(BenchmarkId::new(name, "answer"), |bencher| {
        bencher.iter(|| assert_eq!(Block::new(allocator, ANSWER).last(), 1));
    });
    // The buffers of a connection, of which a request uses the beginning.
    group.bench_function(BenchmarkId::new(name, "two buffers"), |bencher| {
        bencher.iter(|| {
            let (input, output) = (Block::new(allocator, BUFFER), Block::new(allocator, BUFFER));
            assert_eq!(input.last() + output.last(), 2);
        });
    });
    // The oldest is freed for each new one, so that none gets the memory that was just freed.
    group.bench_function(BenchmarkId::new(name, "answer among 100"), |bencher| {
        let mut live: VecDeque<_> = (0..100).map(|_| Block::new(allocator, ANSWER)).collect();
        bencher.iter(|| {
            assert_eq!(live.pop_front().map(|oldest| oldest.last()), Some(1));
            live.push_back(Block::new(allocator, ANSWER));
        });
    });
}

/// Memory of an allocator, filled as far as an answer would fill it.
struct Block<'a, A: GlobalAlloc> {
    allocator: &'a A,
    start: *mut u8,
    layout: Layout,
}

impl<'a, A: GlobalAlloc> Block<'a, A> {
    fn new(allocator: &'a A, bytes: usize) -> Self {
        assert!(bytes >= ANSWER);
        let layout = Layout::array::<u8>(black_box(bytes)).unwrap();
        // SAFETY: The size is not 0.
        let start = unsafe { allocator.alloc(layout) };
        assert!(!start.is_null());
        // SAFETY: At least this number of bytes was just allocated.
        unsafe { start.write_bytes(1, ANSWER) };
        Self { allocator, start: black_box(start), layout }
    }

    /// The last byte that was filled.
    fn last(&self) -> u8 {
        // SAFETY: It was written at its allocation, which lasts until `self` is dropped.
        unsafe { self.start.add(ANSWER - 1).read() }
    }
}

impl<A: GlobalAlloc> Drop for Block<'_, A> {
    fn drop(&mut self) {
        // SAFETY: It was allocated by this allocator with this layout, and nothing else owns it.
        unsafe { self.allocator.dealloc(self.start, self.layout) };
    }
}
