//! How good a model's answers are.

/// How often each class was taken for each: rows are what was right, columns what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<usize>>,
}

/// How figures of single classes become one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// All answers count the same: hits, misses and false alarms are added up over the classes first.
    Micro,
    /// All classes count the same: the mean of their figures.
    Macro,
}

/// Hits, false alarms, misses and rightly refused answers of one class.
#[derive(Clone, Copy, Default)]
struct Outcomes {
    hits: usize,
    false_alarms: usize,
    misses: usize,
    refused: usize,
}

/// part / whole; 0 of nothing is 0, as in scikit-learn.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Outcomes {
    /// hits / (hits + false alarms)
    fn precision(self) -> f64 {
        share(self.hits, self.hits + self.false_alarms)
    }

    /// hits / (hits + misses)
    fn recall(self) -> f64 {
        share(self.hits, self.hits + self.misses)
    }

    /// The harmonic mean of the two: 2·hits / (2·hits + false alarms + misses).
    fn f1(self) -> f64 {
        share(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)
    }

    /// rightly refused / (rightly refused + false alarms)
    fn specificity(self) -> f64 {
        share(self.refused, self.refused + self.false_alarms)
    }
}

impl ConfusionMatrix {
    /// Counts answers, of `classes` classes, against what is right.
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
    /// If there are not as many answers as targets, or one is not a class.
    #[track_caller]
    pub fn new(targets: &[usize], answers: &[usize], classes: usize) -> ConfusionMatrix {
        assert!(
            targets.len() == answers.len(),
            "ConfusionMatrix: {} targets and {} answers",
            targets.len(),
            answers.len()
        );
        let mut counts = vec![vec![0; classes]; classes];
        for (i, (&target, &answer)) in targets.iter().zip(answers).enumerate() {
            assert!(
                target < classes && answer < classes,
                "ConfusionMatrix: target {target} and answer {answer} at position {i}, of {classes} classes"
            );
            counts[target][answer] += 1;
        }
        ConfusionMatrix { counts }
    }

    /// How often `answer` was given where `target` was right.
    pub fn count(&self, target: usize, answer: usize) -> usize {
        self.counts[target][answer]
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.counts.len()
    }

    fn total(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    fn outcomes(&self, class: usize) -> Outcomes {
        let hits = self.counts[class][class];
        let misses = self.counts[class].iter().sum::<usize>() - hits;
        let false_alarms = self.counts.iter().map(|row| row[class]).sum::<usize>() - hits;
        Outcomes { hits, false_alarms, misses, refused: self.total() - hits - misses - false_alarms }
    }

    fn average(&self, how: Average, figure: fn(Outcomes) -> f64) -> f64 {
        let all = (0..self.classes()).map(|class| self.outcomes(class));
        match how {
            Average::Macro => all.map(figure).sum::<f64>() / self.classes() as f64,
            Average::Micro => figure(all.fold(Outcomes::default(), |a, b| Outcomes {
                hits: a.hits + b.hits,
                false_alarms: a.false_alarms + b.false_alarms,
                misses: a.misses + b.misses,
                refused: a.refused + b.refused,
            })),
        }
    }

    /// The share of right answers.
    pub fn accuracy(&self) -> f64 {
        share((0..self.classes()).map(|class| self.counts[class][class]).sum(), self.total())
    }

    /// Of the answers that name this class, the share that is right; 0 if there are none.
    pub fn precision(&self, class: usize) -> f64 {
        self.outcomes(class).precision()
    }

    /// Of what belongs to this class, the share that was answered so; 0 if there is none.
    pub fn recall(&self, class: usize) -> f64 {
        self.outcomes(class).recall()
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self, class: usize) -> f64 {
        self.outcomes(class).f1()
    }

    /// Of what does not belong to this class, the share that was not answered so.
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
