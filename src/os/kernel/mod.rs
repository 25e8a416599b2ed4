//! Processes as futures: scheduler, system calls, terminals, pipes, signals, timers, loopback network.
