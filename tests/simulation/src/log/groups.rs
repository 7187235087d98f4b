//! Consumer groups: who is a member, and which partitions are whose.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::application::log::{Polled, TopicPartition};

use super::{Log, State};
use crate::executor::{NodeId, WORLD};

/// How long the broker waits for a member that says nothing.
const SESSION_TIMEOUT: Duration = Duration::from_secs(6);

/// The members of a group.
#[derive(Default)]
pub(super) struct Group {
    /// What all of them subscribe to.
    topics: Vec<String>,
    members: BTreeMap<u64, Member>,
    generation: u64,
}

pub(super) struct Member {
    node: NodeId,
    /// What it was told and has not heard yet: the last word counts.
    word: Option<Polled>,
    /// No member any more, and does not know it.
    is_expelled: bool,
}

impl Group {
    /// Whether its members read this topic. A name that begins with `^` is a pattern that ends in
    /// one place of eight characters.
    pub(super) fn reads(&self, topic: &str) -> bool {
        self.topics.iter().any(|wanted| match wanted.strip_prefix('^') {
            Some(pattern) => {
                let start = pattern.split('[').next().unwrap_or_default().replace('\\', "");
                topic.strip_prefix(&start).is_some_and(|rest| rest.len() == 8)
            }
            None => wanted == topic,
        })
    }

    /// The partitions of each member: every topic is cut into ranges.
    fn shares(
        &self,
        topics: &BTreeMap<String, Vec<Vec<super::Kept>>>,
    ) -> BTreeMap<u64, Vec<TopicPartition>> {
        let alive = self.members.iter().filter(|(_, member)| !member.is_expelled);
        let alive: Vec<u64> = alive.map(|(id, _)| *id).collect();
        let mut shares: BTreeMap<u64, Vec<TopicPartition>> =
            alive.iter().map(|id| (*id, Vec::new())).collect();
        for (topic, partitions) in topics.iter().filter(|(topic, _)| self.reads(topic)) {
            for place in 0..partitions.len() {
                let owner = place * alive.len() / partitions.len().max(1);
                let Some(share) = alive.get(owner).and_then(|id| shares.get_mut(id)) else {
                    continue;
                };
                let partition = i32::try_from(place).unwrap_or(0);
                share.push(TopicPartition { topic: topic.clone(), partition });
            }
        }
        shares
    }
}

/// Partitions in a few words: those of one topic together.
fn places(partitions: &[TopicPartition]) -> String {
    if partitions.is_empty() {
        return "nothing".to_owned();
    }
    let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for at in partitions {
        topics.entry(&at.topic).or_default().push(at.partition.to_string());
    }
    let of = |(topic, numbers): (&str, Vec<String>)| format!("{topic}[{}]", numbers.join(","));
    topics.into_iter().map(of).collect::<Vec<_>>().join(" ")
}

impl State {
    fn member(&mut self, group: &str, id: u64) -> Option<&mut Member> {
        self.groups.get_mut(group)?.members.get_mut(&id)
    }
}

impl Log {
    /// A process joins.
    pub(super) fn join(self: &Arc<Self>, group: &str, topics: &[String], node: NodeId) -> u64 {
        let id = {
            let mut state = self.state();
            state.members += 1;
            let id = state.members;
            let joined = state.groups.entry(group.to_owned()).or_default();
            joined.topics = topics.to_vec();
            joined.members.insert(id, Member { node, word: None, is_expelled: false });
            id
        };
        self.rebalance(group);
        id
    }

    /// A member leaves, now or when the broker notices that it is gone.
    pub(super) fn leave(self: &Arc<Self>, group: &str, id: u64, is_killed: bool) {
        let (log, group) = (Arc::clone(self), group.to_owned());
        let most = if is_killed { SESSION_TIMEOUT } else { Duration::ZERO };
        let slept = self.world.executor.sleep(self.world.chance.time(most / 4, most));
        self.world.executor.spawn(WORLD, async move {
            slept.await;
            let left = log.state().groups.get_mut(&group).map(|it| it.members.remove(&id));
            if let Some(left) = left.flatten() {
                log.world.tell(left.node, || format!("is no member of {group} any more"));
                log.rebalance(&group);
            }
        });
    }

    /// What the group told this member last, once.
    pub(super) fn word(&self, group: &str, id: u64) -> Option<Polled> {
        self.state().member(group, id)?.word.take()
    }

    pub(super) fn has_word(&self, group: &str, id: u64) -> bool {
        self.state().member(group, id).is_some_and(|member| member.word.is_some())
    }

    /// A process has stood still for too long: its memberships are given to others.
    pub(crate) fn expel(self: &Arc<Self>, node: NodeId) {
        let mut disturbed = BTreeSet::new();
        {
            let mut state = self.state();
            for (name, group) in &mut state.groups {
                for member in group.members.values_mut().filter(|member| member.node == node) {
                    member.is_expelled = true;
                    disturbed.insert(name.clone());
                }
            }
        }
        self.world.fault(node, || {
            let groups: Vec<&str> = disturbed.iter().map(String::as_str).collect();
            format!("expelled from its groups, and does not know: {}", groups.join(", "))
        });
        for group in disturbed {
            self.rebalance(&group);
        }
    }

    /// A process that hears nothing from the broker gives its partitions up by itself.
    pub(crate) fn give_up(&self, node: NodeId) {
        self.world.tell(node, || "gives its partitions up: the log is silent".to_owned());
        for group in self.state().groups.values_mut() {
            for member in group.members.values_mut().filter(|member| member.node == node) {
                member.word = Some(Polled::Revoked);
            }
        }
        self.wake();
    }

    /// A process that was expelled goes on: some time later it learns what happened, and joins
    /// again.
    pub(crate) fn forgive(self: &Arc<Self>, node: NodeId) {
        let log = Arc::clone(self);
        let most = Duration::from_secs(3);
        let slept = self.world.executor.sleep(self.world.chance.time(Duration::ZERO, most));
        self.world.executor.spawn(WORLD, async move {
            slept.await;
            let mut disturbed = BTreeSet::new();
            for (name, group) in &mut log.state().groups {
                for member in group.members.values_mut() {
                    if member.node == node && std::mem::take(&mut member.is_expelled) {
                        disturbed.insert(name.clone());
                    }
                }
            }
            for group in disturbed {
                log.world.tell(node, || format!("joins {group} again"));
                log.rebalance(&group);
            }
        });
    }

    /// A topic is new: groups that read it find it within two seconds.
    pub(super) fn found(self: &Arc<Self>, topic: &str) {
        let state = self.state();
        let groups = state.groups.iter().filter(|(_, group)| group.reads(topic));
        let groups: Vec<String> = groups.map(|(name, _)| name.clone()).collect();
        drop(state);
        for group in groups {
            let log = Arc::clone(self);
            let most = Duration::from_secs(2);
            let slept = self.world.executor.sleep(self.world.chance.time(Duration::ZERO, most));
            self.world.executor.spawn(WORLD, async move {
                slept.await;
                log.rebalance(&group);
            });
        }
    }

    /// Any group, for no reason.
    pub(crate) fn disturb(self: &Arc<Self>) {
        let names: Vec<String> = self.state().groups.keys().cloned().collect();
        if let Some(name) = names.get(self.world.chance.place(names.len())) {
            self.world.fault(WORLD, || format!("{name} rebalances, for no reason"));
            self.rebalance(name);
        }
    }

    /// All members lose their partitions, and get others a little later.
    fn rebalance(self: &Arc<Self>, name: &str) {
        let generation = {
            let mut state = self.state();
            let Some(group) = state.groups.get_mut(name) else { return };
            group.generation += 1;
            for member in group.members.values_mut().filter(|member| !member.is_expelled) {
                member.word = Some(Polled::Revoked);
            }
            group.generation
        };
        self.wake();
        let (log, name) = (Arc::clone(self), name.to_owned());
        let (least, most) = (Duration::from_millis(20), Duration::from_millis(1_500));
        let slept = self.world.executor.sleep(self.world.chance.time(least, most));
        self.world.executor.spawn(WORLD, async move {
            slept.await;
            log.assign(&name, generation);
        });
    }

    fn assign(&self, name: &str, generation: u64) {
        {
            let mut state = self.state();
            let State { groups, topics, .. } = &mut *state;
            let Some(group) = groups.get_mut(name).filter(|it| it.generation == generation) else {
                return;
            };
            let shares = group.shares(topics);
            for (id, partitions) in shares {
                if let Some(member) = group.members.get_mut(&id) {
                    self.world.say(member.node, "assign", || {
                        let is_dead = self.world.is_dead(member.node);
                        let dead = if is_dead { ", dead as it is" } else { "" };
                        format!("is given, in {name}{dead}: {}", places(&partitions))
                    });
                    member.word = Some(Polled::Assigned(partitions));
                }
            }
        }
        self.wake();
    }
}
