//! `POST /labels`, `POST /labels/outcome-key` and `POST /labels/denial-key`: labels and keys for the broker, and the
//! sealed person for the provider.
//!
//! A first request is handled in this order: check S1, find the person, reserve the number ([`crate::reserve`]), build
//! the answer, store number and answer in one transaction, send the answer. A repeated S1 receives the stored bytes
//! until the log has the label, and is refused from then on. A message that was answered for one S1 is refused for any
//! other.
//!
//! **Nobody** (design §5.5) takes the same path. A person's chain has up to twelve links and nobody's has none, so
//! every request costs one evaluation of the label function, twelve look-ups of kept proofs and thirteen inclusion
//! proofs, whether they are needed or not. All answers have one size: labels, keys and token are of fixed length, and
//! the provider part is padded to 24 KiB before it is sealed. So neither size nor work reveals to the broker whether
//! there is a person, or how many exchanges the person has had.

use std::sync::Arc;

use messages::{
    ChainLink, DenialKeyRequest, LabelAnswer, LabelRequest, LinkedEntry, OutcomeKeyAnswer, OutcomeKeyRequest,
    ProviderContent, ProviderContext, ProviderPart, S1, SealingPublicKey, SubjectQuery,
};
use record::{DayKey, DisclosureClass, Idnr, Label, PartKey, PartName, Phase, Series, Timestamp};
use service::Problem;
use service::clock::Clock as _;
use tlog::Hash;
use trust::{Component, TrustMap};

use crate::identity::{Identity, LockKey, internal, log_problem, source_problem};
use crate::log::TransparencyLog;
use crate::periods::{Evaluated, PeriodSecret};
use crate::persons;
use crate::reserve::{over_limit, refused};
use crate::state::{AnswerRow, NewAnswer, NumberKey, NumberRow, Quota, Reservation, Reserved};

/// How often a reservation is tried when a concurrent one takes the number first.
const MAX_ATTEMPTS: usize = 8;
/// How long an answer is kept after its S1 expires, in seconds, to allow for clock skew.
const ANSWER_RETENTION: u64 = 60;
/// How far the broker's clock may deviate from identity's, in seconds. It matters around midnight.
const MAX_CLOCK_SKEW: u64 = 120;

/// The person whom a request concerns, or nobody.
struct Subject {
    idnr: Idnr,
    /// What its numbers count towards. A legal person has none: identity does not know which one it is, and nobody's
    /// numbers do not run out.
    quota: Option<[u8; 32]>,
}

/// A number with everything needed to answer for it.
struct NumberDraft {
    key: NumberKey,
    evaluated: Evaluated,
    /// The earlier numbers of the chain.
    chain: Vec<(u32, Evaluated)>,
}

impl<L: TransparencyLog> Identity<L> {
    /// Answers a label request with the bytes of a [`LabelAnswer`].
    ///
    /// # Errors
    /// 400 if S1 or the person part is invalid, 403 at a limit, 409 if the message was answered for another S1 or
    /// its label is in the log, 503 if the person's last label is not settled or the log is unavailable.
    pub async fn labels(self: &Arc<Self>, request: LabelRequest) -> Result<Vec<u8>, Problem> {
        self.check_clock()?;
        let s1 = &request.s1;
        let history = self.in_force()?;
        let provider = self.check_s1(s1, history.state().directory())?;
        let statement = &s1.statement;
        let message = LockKey::Message(statement.consumer.clone(), statement.message);
        let _message = self.locks.lock(message).await;
        let stored = self
            .state
            .answer(&statement.consumer, &statement.message)
            .map_err(internal)?;
        if let Some(stored) = stored {
            return self.repeated(&stored, &request);
        }
        let subject = self.subject(s1).await?;
        let secret = self.periods.current(self.clock.now()).ok_or_else(no_period)?;
        let series = match request.disclosure {
            DisclosureClass::Immediate => Series::Exchanges,
            DisclosureClass::Delayed => Series::DelayedExchanges,
        };
        let lock = if subject.idnr.is_nobody() {
            LockKey::Nobody(getrandom::u32().map_err(internal)?)
        } else {
            LockKey::Person(subject.idnr.clone(), secret.period(), series)
        };
        let _person = self.locks.lock(lock).await;
        for _ in 0..MAX_ATTEMPTS {
            let number = self.free_number(&subject.idnr, &secret, series).await?;
            let draft = self.evaluate(&subject.idnr, &secret, series, number).await?;
            if self.is_used(&secret, &draft.key, &draft.evaluated).await? {
                continue;
            }
            let (answer, reservation) = self.answer(&request, &subject, &secret, draft, provider).await?;
            match self.state.reserve(reservation).await.map_err(internal)? {
                Reserved::Done => return Ok(answer),
                Reserved::Taken => {}
                Reserved::Limit => {
                    tracing::warn!("a consumer has reached its limit for one subject");
                    service::coarse::count("identity_limits_reached_total", "result", "refused");
                    return Err(over_limit());
                }
            }
        }
        Err(Problem::unavailable(
            "busy",
            1,
            "another exchange has to be recorded first",
        ))
    }

    fn repeated(&self, stored: &AnswerRow, request: &LabelRequest) -> Result<Vec<u8>, Problem> {
        let same = stored.s1 == request.s1.digest().0
            && stored.retention == request.retention
            && stored.disclosure == request.disclosure;
        if !same {
            return Err(Problem::conflict(
                "message-answered",
                "this message was answered for another request",
            ));
        }
        let bytes = self.state.answer_bytes(&stored.intent).map_err(internal)?;
        bytes.ok_or_else(|| {
            Problem::conflict(
                "message-used",
                "the log has the label that this message was answered with",
            )
        })
    }

    /// Whether the label of the number about to be handed out is already in the log. For nobody that is a coincidence.
    /// For a person it means that the state is behind the log; the state has caught up when this returns.
    pub(crate) async fn is_used(
        &self,
        secret: &PeriodSecret,
        key: &NumberKey,
        evaluated: &Evaluated,
    ) -> Result<bool, Problem> {
        let label = &evaluated.labels.intent;
        let used = self.log.locate(secret.period(), label).map_err(log_problem)?.is_some();
        if used && !key.idnr.is_nobody() {
            self.catch_up(secret, key).await?;
        }
        Ok(used)
    }

    /// Checks S1 and returns the provider it names.
    fn check_s1<'a>(&self, s1: &S1, directory: &'a TrustMap) -> Result<&'a Component, Problem> {
        let refuse = |reason: &'static str| Problem::bad_request("s1", reason);
        let consumer = directory
            .consumer(&s1.statement.consumer)
            .ok_or_else(|| refuse("the consumer is not in the directory"))?;
        let provider = directory
            .provider(&s1.statement.provider)
            .ok_or_else(|| refuse("the provider is not in the directory"))?;
        let now = Timestamp(self.clock.now());
        consumer
            .verified(|key| s1.verify(key, now))
            .map_err(|error| Problem::bad_request("s1", error.to_string()))?;
        Ok(provider)
    }

    async fn subject(&self, s1: &S1) -> Result<Subject, Problem> {
        let query = s1
            .open_subject(&self.keys.sealing)
            .map_err(|_| Problem::bad_request("person-part", "the sealed person part cannot be read"))?;
        let SubjectQuery::Natural(query) = query else {
            return Ok(Subject {
                idnr: Idnr::nobody(),
                quota: None,
            });
        };
        let by_person = |idnr: Idnr| Subject {
            quota: Some(self.mac.quota("person", idnr.expose().as_bytes())),
            idnr,
        };
        // A query that matches no person is counted by its content, so that repeated queries for a blocked person reach
        // the limit just as queries for an unknown one do.
        let by_query = Subject {
            idnr: Idnr::nobody(),
            quota: Some(self.mac.quota("query", &persons::canonical(&query))),
        };
        let found = persons::find(&*self.persons, &query).await.map_err(source_problem)?;
        Ok(found.map_or(by_query, by_person))
    }

    /// Evaluates the label function for a number. The links of its chain were evaluated when they were handed out, and
    /// the state has kept their proofs. Always looks for twelve of them.
    async fn evaluate(
        self: &Arc<Self>,
        idnr: &Idnr,
        secret: &Arc<PeriodSecret>,
        series: Series,
        number: u32,
    ) -> Result<NumberDraft, Problem> {
        let (this, idnr, secret) = (Arc::clone(self), idnr.clone(), Arc::clone(secret));
        let work = move || {
            let key = |number| NumberKey {
                period: secret.period(),
                idnr: idnr.clone(),
                series,
                number,
            };
            let links = if idnr.is_nobody() {
                Vec::new()
            } else {
                record::label::chain(number)
            };
            let evaluated = secret.evaluate(&idnr, series, number);
            // Numbers that were never handed out stand for the missing links: looking for them costs the same.
            let unneeded = (0..).map(|beyond: u32| number.wrapping_add(1 + beyond));
            let all = links.iter().copied().chain(unneeded).take(record::label::MAX_CHAIN);
            let kept = this.state.proofs(all.map(key)).map_err(internal)?;
            let mut chain = Vec::with_capacity(links.len());
            for (at, proof) in kept.into_iter().enumerate() {
                let known = Evaluated::of_own_proof(proof.unwrap_or(evaluated.proof));
                match (links.get(at), proof) {
                    (Some(link), Some(_)) => chain.push((*link, known)),
                    (Some(link), None) => chain.push((*link, secret.evaluate(&idnr, series, *link))),
                    (None, _) => drop(std::hint::black_box(known)),
                }
            }
            Ok(NumberDraft {
                key: key(number),
                evaluated,
                chain,
            })
        };
        tokio::task::spawn_blocking(work).await.map_err(internal)?
    }

    /// Builds the answer and everything that is stored with it.
    async fn answer(
        self: &Arc<Self>,
        request: &LabelRequest,
        subject: &Subject,
        secret: &PeriodSecret,
        draft: NumberDraft,
        provider: &Component,
    ) -> Result<(Vec<u8>, Reservation), Problem> {
        let now = self.clock.now();
        let class = request.retention;
        let expiry = class.expiry(Timestamp(now));
        let day_key = self.day_keys.get(class, expiry, self.today()).await.map_err(internal)?;
        let (labels, proof) = (draft.evaluated.labels, draft.evaluated.proof);
        let intent_key = day_key.record_key(&labels.intent);
        let s1 = request.s1.digest();
        let shared_key = intent_key.part(PartName::Shared);
        let key = draft.key.clone();
        let content = self.provider_content(secret, draft, shared_key).await?;
        let for_provider = self.seal_part(content, labels.intent, s1, provider)?;
        let answer = record::cbor::to_vec(&LabelAnswer {
            period: key.period,
            intent: labels.intent,
            intent_key,
            outcome_key: day_key.record_key(&labels.outcome),
            class,
            expiry,
            token: self.mac.token(&labels, class, &s1),
            for_provider,
        });
        let statement = &request.s1.statement;
        let row = NumberRow {
            labels,
            class,
            expiry,
            later: vec![expiry],
            consumer: statement.consumer.clone(),
            s1: s1.0,
            reserved_at: now,
        };
        let stored = NewAnswer {
            message: statement.message,
            row: AnswerRow {
                s1: s1.0,
                retention: request.retention,
                disclosure: request.disclosure,
                until: statement.expires.0.saturating_add(ANSWER_RETENTION),
                intent: labels.intent,
            },
            bytes: answer.clone(),
        };
        let reservation = Reservation {
            key,
            row,
            proof,
            quota: subject.quota.map(|person| Quota { person }),
            answer: Some(stored),
            inspection: None,
        };
        Ok((answer, reservation))
    }

    /// The content of the provider part. Always makes thirteen inclusion proofs, although a short chain needs fewer.
    async fn provider_content(
        &self,
        secret: &PeriodSecret,
        draft: NumberDraft,
        shared_key: PartKey,
    ) -> Result<ProviderContent, Problem> {
        let (begin, begin_leaf) = secret.begin().ok_or_else(no_period)?;
        let mut indices = vec![begin];
        let mut leaves = Vec::with_capacity(draft.chain.len());
        for (_, link) in &draft.chain {
            let (index, leaf) = self.chain_entry(secret, &link.labels.intent).await?;
            indices.push(index);
            leaves.push(leaf);
        }
        for _ in draft.chain.len()..record::label::MAX_CHAIN {
            std::hint::black_box(self.state.leaf(&draft.evaluated.labels.intent).map_err(internal)?);
        }
        indices.resize(record::label::MAX_CHAIN + 1, begin);
        let proofs = self.log.prove(&indices).map_err(log_problem)?;
        let mut hashes = proofs.hashes.into_iter();
        let period_begin = LinkedEntry {
            leaf: begin_leaf.to_vec(),
            index: begin,
            hashes: hashes.next().ok_or_else(|| internal("no proof"))?,
        };
        let entries = leaves.into_iter().zip(indices.into_iter().skip(1)).zip(hashes);
        let chain = draft
            .chain
            .iter()
            .zip(entries)
            .map(|((number, link), ((leaf, index), hashes))| ChainLink {
                number: *number,
                vrf_proof: link.proof,
                entry: LinkedEntry { leaf, index, hashes },
            })
            .collect();
        Ok(ProviderContent {
            idnr: draft.key.idnr.clone(),
            period: draft.key.period,
            series: draft.key.series,
            number: draft.key.number,
            vrf_proof: draft.evaluated.proof,
            checkpoint: proofs.checkpoint,
            period_begin,
            chain,
            shared_key,
        })
    }

    /// The index and the bytes of an earlier entry of the chain.
    async fn chain_entry(&self, secret: &PeriodSecret, label: &Label) -> Result<(u64, Vec<u8>), Problem> {
        let Some(located) = self.log.locate(secret.period(), label).map_err(log_problem)? else {
            tracing::error!("ALARM: a settled label is not in the log");
            return Err(Problem::internal());
        };
        let leaf = match self.state.leaf(label).map_err(internal)? {
            Some(leaf) => leaf,
            // The state may not have kept the newest entry yet.
            None => self.log.leaf(located.index).await.map_err(log_problem)?,
        };
        Ok((located.index, leaf))
    }

    fn seal_part(
        &self,
        content: ProviderContent,
        label: Label,
        s1: Hash,
        provider: &Component,
    ) -> Result<Vec<u8>, Problem> {
        let context = ProviderContext {
            label,
            provider: provider.id.clone(),
            s1,
        };
        ProviderPart::sign(content, &context, &self.keys.signing)
            .seal(&context, &SealingPublicKey(provider.sealing_key))
            .map_err(internal)
    }

    /// Returns the key of today's expiry day for an outcome or preview that is recorded on a later day than its intent.
    ///
    /// # Errors
    /// 403 if the token does not authorise exactly this key; an internal problem if a store fails.
    pub async fn outcome_key(&self, request: &OutcomeKeyRequest) -> Result<OutcomeKeyAnswer, Problem> {
        let OutcomeKeyRequest {
            token,
            label,
            phase,
            class,
            s1,
        } = request;
        self.check_clock()?;
        if *phase == Phase::Intent || !self.mac.verify(token, label, *phase, *class, s1) {
            return Err(refused());
        }
        // The token proves that identity handed out this label. A restored state may not contain it.
        let owner = self.state.owner(label).map_err(internal)?;
        if owner.as_ref().is_some_and(|(_, owned)| owned != phase) {
            return Err(refused());
        }
        let expiry = class.expiry(Timestamp(self.clock.now()));
        let day_key = self
            .day_keys
            .get(*class, expiry, self.today())
            .await
            .map_err(internal)?;
        // The cockpit needs to know which day's key the record was sealed under, so the day is stored before the key is
        // given out.
        if let Some((key, _)) = owner {
            self.state.add_later_day(key, expiry).await.map_err(internal)?;
        }
        Ok(OutcomeKeyAnswer {
            key: day_key.record_key(label),
            class: *class,
            expiry,
        })
    }

    /// The key for sealing denials of a class and day. It opens denials only.
    ///
    /// # Errors
    /// 403 if the day is not today's expiry day within [`MAX_CLOCK_SKEW`]; an internal problem if a store fails.
    pub async fn denial_key(&self, request: &DenialKeyRequest) -> Result<DayKey, Problem> {
        self.check_clock()?;
        let DenialKeyRequest { class, expiry } = *request;
        let now = Timestamp(self.clock.now());
        if ![now.before(MAX_CLOCK_SKEW), now, now.after(MAX_CLOCK_SKEW)]
            .map(|time| class.expiry(time))
            .contains(&expiry)
        {
            return Err(refused());
        }
        let day_key = self.day_keys.get(class, expiry, self.today()).await.map_err(internal)?;
        Ok(day_key.denial_key())
    }
}

fn no_period() -> Problem {
    Problem::unavailable("no-period", 1, "no period has begun in the log yet")
}
