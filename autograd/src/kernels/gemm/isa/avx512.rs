//! later
use super::super::Isa;
use super::super::microkernel::KernelSet;
#[derive(Clone, Copy)]
pub struct Avx512(());
impl Avx512 {
    pub fn new() -> Option<Self> { let _ = Isa::Avx512; None }
    pub(in super::super) fn kernels_f32(self) -> &'static KernelSet<f32> { unreachable!() }
    pub(in super::super) fn kernels_f64(self) -> &'static KernelSet<f64> { unreachable!() }
}
