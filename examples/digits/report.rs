//! What the network has learnt: curves, its filters, the confusion matrix, its mistakes.

use anyhow::Result;
use autograd::Tensor;
use common::plot::{Labels, Panel, Series, save};
use common::reader::Reader;
use common::reader::train::Epoch;
use nn::data::{Grid, LabelledImages, Picture};
use nn::metrics::ConfusionMatrix;
use std::path::Path;

/// Mistakes that are shown at the most.
const MISTAKES: usize = 40;

pub fn report(reader: &Reader, history: &[Epoch], test: &LabelledImages, out: &Path) -> Result<()> {
    let (read, _) = reader.read(&test.images);
    let classes = |digits: &mut dyn Iterator<Item = i64>| digits.map(|digit| digit as usize).collect::<Vec<_>>();
    let (targets, answers) = (classes(&mut test.labels.iter()), classes(&mut read.iter().copied()));
    let matrix = ConfusionMatrix::new(&targets, &answers, 10);
    println!("\n        read as\n        {}", (0..10).map(|digit| format!("{digit:5}")).collect::<String>());
    for digit in 0..10 {
        let row: String = (0..10).map(|answer| format!("{:5}", matrix.count(digit, answer))).collect();
        println!("   is {digit} {row}   recall {:.4}", matrix.recall(digit));
    }
    curves(history, out)?;
    confusion(&matrix, out)?;
    filters(reader, out)?;
    mistakes(test, &targets, &answers, out)
}

fn curves(history: &[Epoch], out: &Path) -> Result<()> {
    let line = |value: &dyn Fn(&Epoch) -> f64| {
        let points = history.iter().enumerate().map(|(i, epoch)| (i as f64 + 1.0, value(epoch))).collect();
        [Series { label: "", points }]
    };
    let loss = Labels { title: "Training loss", x: "epoch", y: "cross-entropy" };
    let error = Labels { title: "Mistakes on test images", x: "epoch", y: "%" };
    let panels = vec![
        Panel::lines(loss, &line(&|epoch| epoch.loss)),
        Panel::lines(error, &line(&|epoch| 100.0 * (1.0 - epoch.accuracy))),
    ];
    save(&out.join("curves.png"), "digits", 2, panels)
}

/// The confusion matrix without its diagonal, which would outshine the mistakes.
fn confusion(matrix: &ConfusionMatrix, out: &Path) -> Result<()> {
    let names: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    let count = |digit: usize, answer: usize| if digit == answer { 0.0 } else { matrix.count(digit, answer) as f64 };
    let rows = (0..10).map(|digit| (0..10).map(|answer| count(digit, answer)).collect()).collect();
    let labels = Labels { title: "Mistakes: which digit was read as which", x: "read as", y: "is" };
    let panel = Panel::labelled_heat_map(labels, rows, names.clone(), names, "images");
    save(&out.join("confusion.png"), "", 1, vec![panel])
}

/// The weights of the first layer, each filter with its own scale from black to white.
fn filters(reader: &Reader, out: &Path) -> Result<()> {
    let weight = reader.conv1.weight.value().detach(); // [24, 1, 3, 3]
    let largest = weight.abs().max_keepdim([1, 2, 3]); // [24, 1, 1, 1]
    let grid = Grid { columns: 8, padding: 1, background: 0.0 }.of(&(weight / largest));
    Picture::new(&grid, (-1.0, 1.0)).enlarged(24).save_png(out.join("filters.png"))?;
    Ok(())
}

/// The test images that were read wrong, row by row; the terminal has what they are and were taken for.
fn mistakes(test: &LabelledImages, targets: &[usize], answers: &[usize], out: &Path) -> Result<()> {
    let wrong: Vec<usize> = (0..targets.len()).filter(|&i| targets[i] != answers[i]).take(MISTAKES).collect();
    if wrong.is_empty() {
        println!("\nno mistake");
        return Ok(());
    }
    let rows: Vec<i64> = wrong.iter().map(|&i| i as i64).collect();
    let images = test.images.index_select(0, &Tensor::from_slice(&rows, rows.len()));
    let grid = Grid { columns: 10, padding: 2, background: 0.5 }.of(&images);
    Picture::new(&grid, (0.0, 1.0)).enlarged(3).save_png(out.join("mistakes.png"))?;
    println!("\nmistakes, as mistakes.png has them (what it is → what it was read as):");
    for row in wrong.chunks(10) {
        let row: Vec<String> = row.iter().map(|&i| format!("{} → {}", targets[i], answers[i])).collect();
        println!("  {}", row.join("   "));
    }
    Ok(())
}
