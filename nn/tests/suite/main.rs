//! What a user of the library relies on, one theme a module. One binary, because each has a copy of all the kernels
//! that it uses: six of them took minutes to build.

mod adversarial;
mod cdcgan;
mod checkpoint_files;
mod data_files;
mod errors;
mod fixture;
mod killed_save;
mod layers;
mod makemore;
mod optim;
#[expect(dead_code, reason = "it has more than is asked here")]
#[path = "../../../autograd/tests/suite/engine/panics.rs"]
mod panics;
mod recurrent;
mod resume;
mod word_vectors;
