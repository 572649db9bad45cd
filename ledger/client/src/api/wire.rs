//! The bodies of `POST /entries` in this crate's types; the format is [`record::submission`].

use record::{SubmissionAnswer, Submitted};
use service::problem::Problem;

use super::{ApiError, AppendAnswer, Submission};

/// The body of a request.
pub fn encode(submissions: &[Submission]) -> Vec<u8> {
    let mut body = Vec::new();
    for submission in submissions {
        let submitted = Submitted {
            leaf: &submission.leaf,
            record: submission.record.as_deref(),
            document: submission.document.as_deref(),
        };
        submitted.write(&mut body);
    }
    body
}

/// Reads the body of an answer to `expected` submissions.
///
/// # Errors
/// [`ApiError::Invalid`]
pub fn decode(body: &[u8], expected: usize) -> Result<Vec<AppendAnswer>, ApiError> {
    let answers = SubmissionAnswer::read_all(body, expected).map_err(|error| ApiError::Invalid(error.to_string()))?;
    Ok(answers.into_iter().map(AppendAnswer::from).collect())
}

impl From<SubmissionAnswer> for AppendAnswer {
    fn from(answer: SubmissionAnswer) -> Self {
        match answer {
            SubmissionAnswer::Recorded { index, receipt } => Self::Recorded { index, receipt },
            SubmissionAnswer::Refused {
                code,
                title,
                detail,
                receipt,
            } => Self::Refused {
                problem: Box::new(Problem::new(code.status(), code.slug(), &title, detail)),
                receipt,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use record::RefusalCode;

    use super::*;

    #[test]
    fn a_refusal_becomes_a_problem_with_its_receipt() {
        let refused = SubmissionAnswer::Refused {
            code: RefusalCode::LabelUsed,
            title: "t".into(),
            detail: "d".into(),
            receipt: Some(b"stored".to_vec()),
        };
        let mut body = Vec::new();
        refused.write(&mut body);
        let AppendAnswer::Refused { problem, receipt } = decode(&body, 1).unwrap().remove(0) else {
            panic!("refused")
        };
        assert_eq!((problem.status, problem.slug.as_str()), (409, "label-used"));
        assert_eq!((problem.title.as_str(), problem.detail.as_str()), ("t", "d"));
        assert_eq!(receipt.as_deref(), Some(&b"stored"[..]));
    }
}
