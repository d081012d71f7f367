//! Nothing: the test beside this is all.
