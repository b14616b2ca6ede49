'use strict';

// The status page. The agent tells what has changed (/events); nothing here asks or changes anything.
// Texts come from files and programs: they become text nodes and nothing else.

const kRowSpan = 15 * 60e3;     // of the picture in a row, in ms
const kMostSpan = 24 * 3600e3;  // of the one in the details
const kLeast = 8;               // of a band's width, of 1000: what was short must be seen, too
const kSilence = 40e3;          // the agent says at least "alive" every 15 s
const kRetry = 2e3;
const kMostEvents = 500;

// How each state looks, and its words.
const kStates = {
  Detached: ['idle unknown', 'Not watched'],
  Opening: ['busy', 'Opening'],
  Probing: ['busy unknown', 'Probing'],
  Online: ['good', 'Online'],
  Offline: ['idle', 'Offline'],
  GoingOnline: ['busy', 'Going online'],
  GoingOnlineWait: ['busy', 'Going online, waits'],
  GoingOffline: ['busy', 'Going offline'],
  GoingOfflineWait: ['busy', 'Going offline, waits'],
};
const kMonitorLooks = {
  off: 'idle',
  stabilizing: 'busy',
  watching: 'good',
  failed: 'trouble',
  suspended: 'idle unknown',
};
// What a probe says: online, offline, cannot tell.
const kProbeLooks = {done: 'good', failed: 'idle', unknown: 'trouble', 'timed out': 'trouble'};
const kProbeWords = {done: 'online', failed: 'offline', unknown: 'cannot tell', 'timed out': 'timed out'};

const $ = (id) => document.getElementById(id);
const table = document.querySelector('#resources > table');

const resources = new Map();  // by tag: {data, open, visible, group, body, cells…}
const groups = new Map();     // by name: {data, body, note}
const dirty = new Set();      // tags of rows to be drawn anew
let rearranged = false;       // groups or dependencies, since rows were laid out
let awaiting = null;          // tags told since the last whole status began
let clockAhead = 0;           // the agent's clock beyond this one's, in ms
let current = false;          // all that the agent has told by now is here
let broken = false;           // something could not be taken or shown, and is missed
let timer = 0;

// ---- Small things

function make(name, looks, ...inside) {
  const node = document.createElement(name);
  if (looks) node.className = looks;
  node.append(...inside.filter((one) => one !== null && one !== ''));
  return node;
}

function svg(name, attributes, ...inside) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...inside);
  return node;
}

// "web2" before "web10".
const byName = new Intl.Collator('en', {numeric: true}).compare;

const now = () => Date.now() + clockAhead;

function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

function clockText(when) {
  const time = new Date(when);
  const clock = time.toLocaleTimeString([], {hour12: false});
  const today = time.toDateString() === new Date().toDateString();
  return today ? clock : `${time.toLocaleDateString()} ${clock}`;
}

const stateLooks = (data) => (data.faulted ? 'trouble' : (kStates[data.state] || ['idle unknown'])[0]);

function stateWords(data) {
  const words = (kStates[data.state] || [null, data.state])[1];
  return data.faulted ? `${words}, faulted` : words;
}

// It keeps its state, but nobody knows.
const cannotTell = (data) => ['unknown', 'timed out'].includes(data.last_probe) && !data.suspended &&
    data.state !== 'Detached';
const inTrouble = (data) => data.faulted || cannotTell(data) ||
    data.monitors.some((one) => one.state === 'failed');

function marked(looks, words) {
  const shape = make('span', 'shape');
  shape.setAttribute('aria-hidden', 'true');
  return [shape, words];
}

// ---- The order of rows

// Below what it depends on, in its group: [tag, level] in order.
function ordered(members) {
  const tags = new Set(members.map((data) => data.tag));
  const byTag = new Map(members.map((data) => [data.tag, data]));
  const levels = new Map();
  const inner = (data) => data.depends_on.filter((tag) => tags.has(tag));
  const level = (tag) => {
    if (levels.has(tag)) return levels.get(tag);
    levels.set(tag, 0);  // there are no circles; and if there were, this would end
    const own = Math.max(-1, ...inner(byTag.get(tag)).map(level)) + 1;
    levels.set(tag, own);
    return own;
  };
  const children = new Map();
  const roots = [];
  for (const data of members) {
    const above = inner(data).sort((a, b) => level(b) - level(a) || byName(a, b))[0];
    if (above === undefined) {
      roots.push(data.tag);
    } else {
      if (!children.has(above)) children.set(above, []);
      children.get(above).push(data.tag);
    }
  }
  const rows = [];
  const walk = (tag) => {
    rows.push([tag, level(tag)]);
    for (const child of (children.get(tag) || []).sort(byName)) walk(child);
  };
  roots.sort(byName).forEach(walk);
  return rows;
}

function layOut() {
  rearranged = false;
  const members = new Map([...groups.keys()].map((name) => [name, []]));
  for (const {data} of resources.values()) {
    const name = data.group || '';
    if (!members.has(name)) members.set(name, []);
    members.get(name).push(data);
  }
  for (const [name, group] of [...groups]) {
    // One that the agent does not tell of, and that has lost its last resource.
    if (group.data || members.get(name).length) continue;
    members.delete(name);
    groups.delete(name);
  }
  // Those without a group come last.
  const names = [...members.keys()].sort((a, b) => (a === '') - (b === '') || byName(a, b));
  const shape = names.map((name) => [name, ordered(members.get(name))]);
  const bodies = [];
  for (const [name, rows] of shape) {
    if (name !== '' || names.length > 1) bodies.push(groupOf(name).body);
    for (const [tag, level] of rows) {
      const row = resources.get(tag);
      row.head.className = `level-${Math.min(level, 4)}`;
      row.arrow.textContent = level > 0 ? '↳' : '';
      row.group = name;
      bodies.push(row.body);
    }
  }
  for (const body of [...table.tBodies]) {
    if (body.id !== 'empty') body.remove();
  }
  table.append(...bodies);
}

function groupOf(name) {
  if (groups.has(name) && groups.get(name).body) return groups.get(name);
  const group = groups.get(name) || {data: null};
  const title = make('th', '', name === '' ? 'In no group' : `Group ${name}`);
  title.colSpan = 5;
  title.scope = 'rowgroup';
  group.note = make('span');
  title.append(group.note);
  group.body = make('tbody', '', make('tr', 'group', title));
  groups.set(name, group);
  return group;
}

function drawGroups() {
  for (const group of groups.values()) {
    if (!group.note || !group.data) continue;
    group.note.replaceChildren(
        ...(group.data.standby ? [make('span', 'tag', 'standby: online on another node')] : []),
        ...(group.data.falling_over ? [make('span', 'tag bad', 'being given up here')] : []));
  }
}

// ---- A resource's row

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const row = resources.get(entry.target.dataset.tag);
    if (!row) continue;
    row.visible = entry.isIntersecting;
    if (row.visible) drawTimes(row);
  }
}, {rootMargin: '200px'});

function newRow(data) {
  const row = {data, open: false, visible: false};
  row.arrow = make('span', 'arrow');
  row.arrow.setAttribute('aria-hidden', 'true');
  row.button = make('button', 'name', data.tag);
  row.button.type = 'button';
  row.button.setAttribute('aria-expanded', 'false');
  row.button.addEventListener('click', () => toggle(row));
  row.about = make('div', 'about');
  const inner = make('div', '', row.arrow, row.button, row.about);
  row.head = inner;
  const name = make('th', '', inner);
  name.scope = 'row';
  row.state = make('td');
  row.since = make('td', 'since');
  row.notes = make('td', 'notes');
  row.past = make('td', 'past');
  row.line = make('tr', '', name, row.state, row.since, row.notes, row.past);
  row.body = make('tbody', 'resource', row.line);
  row.body.dataset.tag = data.tag;
  seen.observe(row.body);
  return row;
}

function toggle(row) {
  row.open = !row.open;
  row.button.setAttribute('aria-expanded', String(row.open));
  if (row.open) {
    row.details = make('td', 'details');
    row.details.colSpan = 5;
    row.more = make('tr', '', row.details);
    row.body.append(row.more);
    drawDetails(row);
  } else {
    row.more.remove();
  }
}

function tags(data) {
  const out = [];
  if (data.running) out.push(make('span', 'tag busy', `${data.running} runs`));
  if (data.waiting) out.push(make('span', 'tag busy', `then ${data.waiting}`));
  if (data.goal) out.push(make('span', 'tag busy', `goal: ${data.goal}`));
  if (cannotTell(data)) out.push(make('span', 'tag warn', 'its monitor cannot tell'));
  if (data.suspended) out.push(make('span', 'tag warn', 'monitors suspended'));
  if (!data.wanted) out.push(make('span', 'tag', 'to be online elsewhere'));
  if (data.counts.restarts > 0) {
    out.push(make('span', 'tag warn', `${data.counts.restarts} restart${data.counts.restarts > 1 ? 's' : ''}`));
  }
  return out;
}

function monitorList(monitors) {
  const list = make('ul', 'monitors');
  list.setAttribute('aria-label', 'Monitors');
  for (const one of monitors) {
    const looks = kMonitorLooks[one.state] || 'idle';
    const word = one.state === 'watching' ? '' : ` ${one.state}`;
    list.append(make('li', looks, ...marked(looks, `${one.name}${word}`)));
  }
  return list;
}

function drawRow(row) {
  const {data} = row;
  const looks = stateLooks(data);
  row.body.className = `resource${data.faulted ? ' faulted' : ''}`;
  row.body.dataset.state = data.state;
  row.about.textContent = [data.type, data.critical ? 'critical' : '',
    data.depends_on.length ? `needs ${data.depends_on.join(', ')}` : ''].filter(Boolean).join(' · ');
  row.state.replaceChildren(make('span', `state ${looks}`, ...marked(looks, stateWords(data))));
  const words = [];
  if (data.fault) words.push(make('div', 'fault', data.fault));
  if (data.last_reason && data.last_reason !== data.fault &&
      (data.state !== 'Online' || cannotTell(data))) {
    words.push(make('div', 'reason', data.last_reason));
  }
  for (const one of data.monitors) {
    if (one.state === 'failed' && one.reason) words.push(make('div', 'fault', `${one.name}: ${one.reason}`));
  }
  const notes = [...tags(data), ...words];
  if (data.monitors.length) notes.push(monitorList(data.monitors));
  row.notes.replaceChildren(...notes);
  if (row.visible) drawTimes(row);
  if (row.open) drawDetails(row);
}

// What changes with time alone; of rows in sight.
function drawTimes(row) {
  const since = make('time', '', age(now() - Date.parse(row.data.since)));
  since.dateTime = row.data.since;
  since.title = new Date(row.data.since).toLocaleString();
  row.since.replaceChildren(since);
  row.past.replaceChildren(picture(row.data, kRowSpan));
}

// ---- Pictures of the past

// States as a band, probes as ticks: above the middle what is online, below it what is not. One path
// for all of a kind, since a thousand rows have a hundred thousand of them.
function picture(data, span) {
  const end = now();
  const start = end - span;
  const x = (when) => Math.max(0, Math.min(1000, ((when - start) / span) * 1000));
  const bands = new Map();
  data.stays.forEach((stay, i) => {
    const from = Math.min(x(Date.parse(stay.since)), 1000 - kLeast);
    const next = data.stays[i + 1];
    const to = next ? x(Date.parse(next.since)) : 1000;
    if (to <= 0) return;
    const looks = stateLooks(stay).split(' ')[0];
    const width = Math.max(to - from, kLeast).toFixed(1);
    bands.set(looks, `${bands.get(looks) || ''}M${from.toFixed(1)} 0h${width}v10h-${width}z`);
  });
  const ticks = new Map();
  for (const probe of data.probes) {
    const at = Date.parse(probe.at);
    if (at < start) continue;
    const looks = kProbeLooks[probe.how] || 'trouble';
    const [y, height] = looks === 'good' ? [13, 5] : looks === 'idle' ? [19, 5] : [13, 11];
    ticks.set(looks, `${ticks.get(looks) || ''}M${x(at).toFixed(1)} ${y}h3v${height}h-3z`);
  }
  // Trouble comes last, so that nothing hides it.
  const order = ['idle', 'good', 'busy', 'trouble'];
  const inside = [svg('rect', {class: 'ground', width: 1000, height: 24})];
  for (const looks of order) {
    if (bands.has(looks)) inside.push(svg('path', {class: `band is-${looks}`, d: bands.get(looks)}));
  }
  for (const looks of order) {
    if (ticks.has(looks)) inside.push(svg('path', {class: `probe-${looks}`, d: ticks.get(looks)}));
  }
  const bad = data.probes.filter((one) => one.how !== 'done').length;
  return svg('svg', {
    class: 'past-picture',
    viewBox: '0 0 1000 24',
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': `${data.stays.length} states and ${data.probes.length} probes, ${bad} of them not online`,
  }, ...inside);
}

function detailSpan(data) {
  const first = data.stays.length ? now() - Date.parse(data.stays[0].since) : 0;
  return Math.min(Math.max(first, kRowSpan), kMostSpan);
}

function detailTable(title, heads, rows) {
  if (!rows.length) return [];
  const head = make('tr', '', ...heads.map((text) => {
    const cell = make('th', '', text);
    cell.scope = 'col';
    return cell;
  }));
  const body = make('tbody', '', ...rows.map((cells) => make('tr', '', ...cells.map((one) => make('td', '', one)))));
  return [make('h3', '', title), make('table', '', make('thead', '', head), body)];
}

function stateLine(stay) {
  const looks = stateLooks(stay);
  return make('span', `state ${looks}`, ...marked(looks, stateWords(stay)));
}

function facts(data) {
  const list = make('dl');
  const add = (name, text) => {
    if (text) list.append(make('dt', '', name), make('dd', '', text));
  };
  add('Id', data.id);
  add('Type', data.type);
  add('Depends on', data.depends_on.join(', '));
  add('Critical', data.critical ? 'yes: its fault takes the group down' : 'no');
  add('In this state since', `${new Date(data.since).toLocaleString()} (${age(now() - Date.parse(data.since))})`);
  add('Fault', data.fault);
  add('Last words', data.last_reason);
  const counts = data.counts;
  add('Counts', `restarts ${counts.restarts}, retries ${counts.retries}, tolerated ${counts.tolerated}, ` +
      `time-outs in a row ${counts.monitor_timeouts}, waits ${counts.waits}`);
  return list;
}

function drawDetails(row) {
  const {data} = row;
  const span = detailSpan(data);
  const key = make('p', 'key', make('span', '', `from ${clockText(now() - span)} to now`),
      make('span', '', 'band: states'), make('span', '', 'upper ticks: seen online'),
      make('span', '', 'lower: seen offline'), make('span', '', 'long and red: cannot tell, or timed out'));
  const monitors = data.monitors.map((one) => [
    one.name, one.kind, one.mode,
    make('span', `state ${kMonitorLooks[one.state] || 'idle'}`, ...marked('', one.state)),
    String(one.restarts), one.reason || '',
  ]);
  const stays = data.stays.slice(-8).reverse().map((one) => [clockText(one.since), stateLine(one)]);
  const probes = data.probes.slice(-8).reverse().map(
      (one) => [clockText(one.at), kProbeWords[one.how] || one.how, `${one.took_ms.toFixed(1)} ms`]);
  row.details.replaceChildren(
      facts(data), picture(data, span), key,
      ...detailTable('Monitors', ['Name', 'Kind', 'Mode', 'State', 'Restarts', 'Reason'], monitors),
      ...detailTable('Last states', ['Since', 'State'], stays),
      ...detailTable('Last probes', ['At', 'Saw', 'Took'], probes));
}

// ---- The whole

function matches(data, words, troubleOnly) {
  if (troubleOnly && !inTrouble(data)) return false;
  const text = [data.tag, data.id, data.group || '', data.type, stateWords(data), data.state,
    data.suspended ? 'suspended' : ''].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

function applyFilter() {
  const words = $('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
  const troubleOnly = $('trouble').checked;
  const shown = new Map();
  let count = 0;
  for (const row of resources.values()) {
    const show = matches(row.data, words, troubleOnly);
    row.body.hidden = !show;
    if (!show) continue;
    ++count;
    shown.set(row.group, true);
  }
  const all = !words.length && !troubleOnly;
  for (const [name, group] of groups) {
    if (group.body) group.body.hidden = !all && !shown.has(name);
  }
  $('empty').hidden = count > 0;
  $('shown').textContent = all ? `${count}` : `${count} of ${resources.size}`;
}

function drawTotals() {
  const counts = {good: 0, idle: 0, busy: 0, trouble: 0, monitors: 0};
  for (const {data} of resources.values()) {
    ++counts[stateLooks(data).split(' ')[0]];
    if (data.monitors.some((one) => one.state === 'failed')) ++counts.monitors;
  }
  const one = (looks, count, words) => {
    const item = make('li', count ? '' : 'zero', make('b', '', String(count)),
        make('span', `state ${looks}`, ...marked(looks, words)));
    return item;
  };
  $('totals').replaceChildren(
      one('good', counts.good, 'online'), one('idle', counts.idle, 'offline or not watched'),
      one('busy', counts.busy, 'changing'), one('trouble', counts.trouble, 'faulted'),
      one('trouble', counts.monitors, 'with a failed monitor'));
  const bad = counts.trouble + counts.monitors;
  document.title = counts.trouble ? `genapp: ${counts.trouble} faulted` :
      bad ? 'genapp: a monitor has failed' : 'genapp';
}

// What fails must not leave 'Live' beside what is old.
function orLost(act) {
  try {
    act();
  } catch (problem) {
    broken = true;
    lost('This page has failed, load it anew');
    throw problem;
  }
}

function draw() {
  timer = 0;
  orLost(drawAll);
}

function drawAll() {
  for (const tag of dirty) {
    const row = resources.get(tag);
    if (row) drawRow(row);
  }
  dirty.clear();
  if (rearranged) layOut();
  drawGroups();
  drawTotals();
  applyFilter();
  drawEvents();
  if (current && !broken) tellConnection('live', 'Live');
}

// Not by frames: there are none while another tab is looked at, and the title is seen even then.
function drawSoon() {
  if (!timer) timer = setTimeout(draw, 20);
}

// ---- What the agent tells

function takeGroups(list) {
  const there = new Set(list.map((one) => one.name));
  for (const name of [...groups.keys()]) {
    if (name !== '' && !there.has(name)) groups.delete(name);
  }
  for (const data of list) {
    const group = groups.get(data.name) || {};
    group.data = data;
    groups.set(data.name, group);
  }
  rearranged = true;
}

function takeResource(data) {
  const row = resources.get(data.tag) || newRow(data);
  const place = (one) => JSON.stringify([one.group, one.depends_on]);
  if (!resources.has(data.tag) || place(row.data) !== place(data)) rearranged = true;
  row.data = data;
  resources.set(data.tag, row);
  if (awaiting) awaiting.add(data.tag);
  dirty.add(data.tag);
}

function dropUntold() {
  for (const [tag, row] of [...resources]) {
    if (awaiting.has(tag)) continue;
    seen.unobserve(row.body);
    row.body.remove();
    resources.delete(tag);
    rearranged = true;
  }
  awaiting = null;
}

function takeStatus(status) {
  clockAhead = Date.parse(status.now) - Date.now();
  if (status.whole) awaiting = new Set();
  if (status.groups) takeGroups(status.groups);
  status.resources.forEach(takeResource);
  if (awaiting && !status.more) dropUntold();
  const agent = status.agent;
  $('agent').textContent = `agent ${agent.version}, process ${agent.pid}, runs for ${age(now() - Date.parse(agent.since))}`;
  current = !status.more;
  drawSoon();
}

const events = new Map();  // by number: its time
let lastEvent = 0;
let arrived = [];

function eventLine(notice) {
  const when = make('time', 'when', clockText(notice.time));
  when.dateTime = notice.time;
  return make('li', notice.severity, when, make('span', 'severity', notice.severity),
      make('b', '', notice.tag), make('span', 'text', notice.text));
}

function takeNotice(notice) {
  if (notice.seq <= lastEvent) {
    if (events.get(notice.seq) === notice.time) return;
    // The machine was started anew, and the numbers with it.
    events.clear();
    $('events').replaceChildren();
    arrived = [];
  }
  lastEvent = notice.seq;
  events.set(notice.seq, notice.time);
  arrived.push(notice);
  drawSoon();
}

function drawEvents() {
  if (!arrived.length) return;
  const list = $('events');
  list.prepend(...arrived.slice(-kMostEvents).reverse().map(eventLine));
  while (list.children.length > kMostEvents) list.lastElementChild.remove();
  const serious = arrived.filter((one) => one.severity !== 'info').pop();
  if (serious) $('latest').textContent = `${serious.severity}: ${serious.tag} ${serious.text}`;
  while (events.size > 2 * kMostEvents) events.delete(events.keys().next().value);
  arrived = [];
}

// ---- The connection

let source = null;
let heard = 0;
let retry = 0;

function tellConnection(looks, words) {
  document.body.classList.toggle('live', looks === 'live');
  document.body.classList.toggle('lost', looks === 'lost');
  if ($('connection-text').textContent !== words) $('connection-text').textContent = words;
}

// The connection, or what came by it can't be shown.
function lost(why = 'Connection lost') {
  current = false;
  tellConnection('lost', `${why}: what is shown is old`);
}

function connect() {
  clearTimeout(retry);
  if (source) source.close();
  heard = Date.now();
  source = new EventSource('/events');
  const on = (name, take) => source.addEventListener(name, (event) => {
    heard = Date.now();
    if (take) orLost(() => take(JSON.parse(event.data)));
  });
  on('status', takeStatus);
  on('notice', takeNotice);
  on('alive', null);
  source.addEventListener('error', () => {
    lost();
    // The browser tries again by itself, unless it was refused.
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(connect, kRetry);
  });
}

$('filter').addEventListener('input', applyFilter);
$('trouble').addEventListener('change', applyFilter);
$('serious').addEventListener('change', () => {
  $('events').classList.toggle('serious-only', $('serious').checked);
});
setInterval(() => {
  if (Date.now() - heard <= kSilence) return;
  // Nothing was heard and nothing broke: the agent, or the way to it, stands still.
  lost();
  connect();
}, 5e3);
setInterval(() => {
  if (document.body.classList.contains('lost')) return;
  for (const row of resources.values()) {
    if (row.visible && !row.body.hidden) drawTimes(row);
  }
}, 5e3);
connect();
