//! Part 4: a symbol as a row of zeros with a one, or as a row of a table; and why that is the same.

use autograd::{Rng, Tensor};
use std::time::Instant;

/// Prints the lesson.
pub fn lesson(seed: u64, quick: bool) {
    let mut rng = Rng::seeded(seed);
    println!(
        "\n4. One-hot against embedding\n\n\
         A neuron multiplies; a word cannot be multiplied. So the third word of five becomes a row of five numbers, with a\n\
         one in the third place: one-hot. Let [2, 0, 2] be three words, and W a matrix with a row for each word:\n"
    );
    // ANCHOR: same
    let words = Tensor::of([2_i64, 0, 2]); // [3]
    let w = Tensor::from([[0.1, 0.2], [1.1, 1.2], [2.1, 2.2], [3.1, 3.2], [4.1, 4.2]]); // [V = 5, E = 2]
    let one_hot = words.one_hot(5); // [3] -> [3, V]
    let product = one_hot.matmul(&w); // [3, V]·[V, E] -> [3, E]
    let rows = w.embedding(&words); // [3] -> [3, E]
    // ANCHOR_END: same
    for ((one_hot, product), rows) in
        one_hot.to_vec().chunks(5).zip(product.to_vec().chunks(2)).zip(rows.to_vec().chunks(2))
    {
        println!("    {one_hot:?} · W = {product:?}    W[word] = {rows:?}");
    }
    println!(
        "\nThe product picks a row of W, and multiplies all others by zero. An embedding is that without the multiplication:\n\
         W is a table, and a word is the number of its row. In sizes that occur:\n"
    );

    let (vocabulary, width, batch) = if quick { (1_000, 16, 64) } else { (10_000, 64, 256) };
    let table = Tensor::randn([vocabulary, width], &mut rng).requires_grad(); // [V, E]
    let words = Tensor::randint(0, vocabulary as i64, [batch], &mut rng); // [B]
    let start = Instant::now();
    let one_hot = words.one_hot(vocabulary); // [B] -> [B, V]
    let product = one_hot.matmul(&table); // [B, V]·[V, E] -> [B, E]
    let slow = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    let rows = table.embedding(&words); // [B] -> [B, E]
    let fast = start.elapsed().as_secs_f64() * 1e3;

    let zeros = one_hot.iter().filter(|&x| x == 0.0).count() as f64 / one_hot.count() as f64;
    let weights = Tensor::randn([batch, width], &mut rng);
    (&product * &weights).sum(..).backward();
    let dense = table.grad().expect("the table is a leaf").detach();
    table.set_gradient(None);
    (&rows * &weights).sum(..).backward();
    let picked = table.grad().expect("the table is a leaf");
    let used = picked.to_vec().chunks(width).filter(|row| row.iter().any(|&x| x != 0.0)).count();
    let same = |a: &Tensor, b: &Tensor| if a.to_vec() == b.to_vec() { "equal" } else { "nearly equal" };
    println!(
        "    {batch} words of {vocabulary}, E = {width}       one-hot · W       embedding\n\
         \x20   the input                     {:>10} bytes {:>9} bytes\n\
         \x20   of which zeros                {:>12.2} %\n\
         \x20   multiplications               {:>16} {:>15}\n\
         \x20   time                          {slow:>13.2} ms {fast:>12.3} ms\n\n\
         The results are {}, number for number; the gradients of the table are {}. Only {used} of its {vocabulary}\n\
         rows get any gradient, and nn's Embedding can hand over just those (sparse). What an embedding adds is nothing but the\n\
         knowledge that the input is one-hot. And what a row becomes in training is up to the layers behind it: words that\n\
         should be treated alike end up close together (see the example embedding_lesson).",
        one_hot.count() * 4,
        words.count() * 8,
        zeros * 100.0,
        batch * vocabulary * width,
        0,
        same(&product, &rows),
        same(&dense, &picked),
    );
}
