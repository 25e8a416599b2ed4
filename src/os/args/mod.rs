//! One option parser with two dialects (pflag, getopt); commands and flags as data.
