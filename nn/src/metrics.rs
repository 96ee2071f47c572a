//! How good a model's predictions are.

mod correlation;

pub use correlation::{pearson, spearman};

use autograd::Tensor;

/// How often each class was taken for each: rows are the targets, columns the predictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<usize>>,
}

/// How figures of single classes become one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// All predictions count the same: what is right and wrong is added up over the classes first.
    Micro,
    /// All classes count the same: the mean of their figures.
    Macro,
}

/// What was predicted of one class, against what is true.
#[derive(Clone, Copy, Default)]
struct Outcomes {
    true_positives: usize,
    false_positives: usize,
    false_negatives: usize,
    true_negatives: usize,
}

/// part / whole; 0 of nothing is 0, as in scikit-learn.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Outcomes {
    /// TP / (TP + FP)
    fn precision(self) -> f64 {
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    /// TP / (TP + FN)
    fn recall(self) -> f64 {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// The harmonic mean of the two: 2·TP / (2·TP + FP + FN).
    fn f1(self) -> f64 {
        share(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)
    }

    /// TN / (TN + FP)
    fn specificity(self) -> f64 {
        share(self.true_negatives, self.true_negatives + self.false_positives)
    }
}

impl ConfusionMatrix {
    /// Counts predictions, of `classes` classes, against targets.
    ///
    /// ```
    /// use nn::metrics::{Average, ConfusionMatrix};
    /// let matrix = ConfusionMatrix::new(&[0, 0, 1, 1], &[0, 1, 1, 1], 2);
    /// assert_eq!(matrix.accuracy(), 0.75);
    /// assert_eq!(matrix.recall(0), 0.5);
    /// assert_eq!(matrix.average_recall(Average::Macro), 0.75);
    /// ```
    ///
    /// # Panics
    /// If there are not as many predictions as targets, or one is not a class.
    #[track_caller]
    pub fn new(targets: &[usize], predictions: &[usize], classes: usize) -> ConfusionMatrix {
        assert!(
            targets.len() == predictions.len(),
            "ConfusionMatrix: {} targets and {} predictions",
            targets.len(),
            predictions.len()
        );
        let mut counts = vec![vec![0; classes]; classes];
        for (i, (&target, &prediction)) in targets.iter().zip(predictions).enumerate() {
            assert!(
                target < classes && prediction < classes,
                "ConfusionMatrix: target {target} and prediction {prediction} at position {i}, of {classes} classes"
            );
            counts[target][prediction] += 1;
        }
        ConfusionMatrix { counts }
    }

    /// How often `prediction` was made where `target` was right.
    pub fn count(&self, target: usize, prediction: usize) -> usize {
        self.counts[target][prediction]
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.counts.len()
    }

    fn total(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    fn outcomes(&self, class: usize) -> Outcomes {
        let true_positives = self.counts[class][class];
        let false_negatives = self.counts[class].iter().sum::<usize>() - true_positives;
        let false_positives = self.counts.iter().map(|row| row[class]).sum::<usize>() - true_positives;
        Outcomes {
            true_positives,
            false_positives,
            false_negatives,
            true_negatives: self.total() - true_positives - false_negatives - false_positives,
        }
    }

    fn average(&self, how: Average, figure: fn(Outcomes) -> f64) -> f64 {
        let all = (0..self.classes()).map(|class| self.outcomes(class));
        match how {
            Average::Macro => all.map(figure).sum::<f64>() / self.classes() as f64,
            Average::Micro => figure(all.fold(Outcomes::default(), |a, b| Outcomes {
                true_positives: a.true_positives + b.true_positives,
                false_positives: a.false_positives + b.false_positives,
                false_negatives: a.false_negatives + b.false_negatives,
                true_negatives: a.true_negatives + b.true_negatives,
            })),
        }
    }

    /// The share of predictions that are right.
    pub fn accuracy(&self) -> f64 {
        share((0..self.classes()).map(|class| self.counts[class][class]).sum(), self.total())
    }

    /// Of the predictions of this class, the share that is right; 0 if there are none.
    pub fn precision(&self, class: usize) -> f64 {
        self.outcomes(class).precision()
    }

    /// Of what belongs to this class, the share that was predicted so; 0 if there is none.
    pub fn recall(&self, class: usize) -> f64 {
        self.outcomes(class).recall()
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self, class: usize) -> f64 {
        self.outcomes(class).f1()
    }

    /// Of what does not belong to this class, the share that was not predicted so.
    pub fn specificity(&self, class: usize) -> f64 {
        self.outcomes(class).specificity()
    }

    /// [`precision`](ConfusionMatrix::precision) over all classes.
    pub fn average_precision(&self, how: Average) -> f64 {
        self.average(how, Outcomes::precision)
    }

    /// [`recall`](ConfusionMatrix::recall) over all classes.
    pub fn average_recall(&self, how: Average) -> f64 {
        self.average(how, Outcomes::recall)
    }

    /// [`f1`](ConfusionMatrix::f1) over all classes.
    pub fn average_f1(&self, how: Average) -> f64 {
        self.average(how, Outcomes::f1)
    }

    /// [`specificity`](ConfusionMatrix::specificity) over all classes.
    pub fn average_specificity(&self, how: Average) -> f64 {
        self.average(how, Outcomes::specificity)
    }
}

/// The share of rows of `logits` `[…, C]` (or of probabilities) whose largest element stands at the class that
/// `classes` `[…]` names. NaN of no rows.
///
/// ```
/// use autograd::Tensor;
/// use nn::metrics::accuracy;
/// let logits = Tensor::from([[0.1, 2.0], [3.0, -1.0], [0.5, 0.6], [1.0, 0.0]]);
/// assert_eq!(accuracy(&logits, &Tensor::of([1_i64, 0, 0, 0])), 0.75);
/// ```
///
/// # Panics
/// If `classes` has another shape than `logits` without its last axis.
#[track_caller]
pub fn accuracy(logits: &Tensor, classes: &Tensor<i64>) -> f64 {
    assert!(
        logits.rank() > 0 && logits.shape()[..logits.rank() - 1] == **classes.shape(),
        "accuracy: logits of shape {} for classes of shape {}; [.., C] and [..] are wanted",
        logits.shape(),
        classes.shape()
    );
    logits.argmax(-1).eq(classes).count_true() as f64 / classes.count() as f64
}

/// The area under the receiver operating characteristic: the probability that a random positive scores
/// higher than a random negative, ties counting half (Mann and Whitney). NaN if either kind is missing.
///
/// ```
/// use nn::metrics::roc_auc;
/// assert_eq!(roc_auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), 0.75);
/// ```
///
/// # Panics
/// If there are not as many scores as labels, or a score is NaN.
#[track_caller]
pub fn roc_auc(scores: &[f32], positive: &[bool]) -> f64 {
    assert!(scores.len() == positive.len(), "roc_auc: {} scores and {} labels", scores.len(), positive.len());
    assert!(!scores.iter().any(|score| score.is_nan()), "roc_auc: a score is NaN");
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut rank_sum, mut before) = (0.0, 0.0);
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        // Ranks count from 1; tied scores share the mean of theirs.
        let rank = before + (tied.len() as f64 + 1.0) / 2.0;
        rank_sum += rank * tied.iter().filter(|&&i| positive[i]).count() as f64;
        before += tied.len() as f64;
    }
    let positives = positive.iter().filter(|&&is| is).count() as f64;
    let negatives = positive.len() as f64 - positives;
    (rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

/// The perplexity of a language model whose mean negative log-likelihood (natural logarithm) is `loss`:
/// among how many equally likely choices it would be as unsure.
pub fn perplexity(loss: f64) -> f64 {
    loss.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_three_classes() {
        // sklearn.metrics.precision_recall_fscore_support of the same lists.
        let matrix = ConfusionMatrix::new(&[0, 1, 2, 0, 1, 2, 2], &[0, 2, 1, 0, 0, 1, 2], 3);
        assert_eq!([matrix.precision(0), matrix.precision(1), matrix.precision(2)], [2.0 / 3.0, 0.0, 0.5]);
        assert_eq!([matrix.recall(0), matrix.recall(1), matrix.recall(2)], [1.0, 0.0, 1.0 / 3.0]);
        assert_eq!([matrix.f1(0), matrix.f1(1), matrix.f1(2)], [0.8, 0.0, 0.4]);
        assert_eq!([matrix.specificity(0), matrix.specificity(1), matrix.specificity(2)], [0.8, 0.6, 0.75]);
        assert_eq!(matrix.average_f1(Average::Micro), matrix.accuracy());
        assert!((matrix.average_f1(Average::Macro) - 0.4).abs() < 1e-15);
    }

    #[test]
    fn auc_with_ties_is_the_share_of_pairs_in_order() {
        let scores = [0.5, 0.5, 0.1, 0.9, 0.5, 0.3];
        let positive = [true, false, false, true, true, false];
        let mut pairs = 0.0;
        for (i, _) in positive.iter().enumerate().filter(|(_, is)| **is) {
            for (j, _) in positive.iter().enumerate().filter(|(_, is)| !**is) {
                pairs += if scores[i] > scores[j] {
                    1.0
                } else if scores[i] == scores[j] {
                    0.5
                } else {
                    0.0
                };
            }
        }
        assert_eq!(roc_auc(&scores, &positive), pairs / 9.0);
        assert!(roc_auc(&[1.0], &[true]).is_nan());
    }

    #[test]
    fn a_uniform_guess_is_as_unsure_as_there_are_choices() {
        assert!((perplexity(27_f64.ln()) - 27.0).abs() < 1e-12);
    }
}
