// What getStats() says of one's own connection, once a second, in people's units.

export class Statistics {
  constructor(element) {
    this.element = element;
    this.before = new Map();
  }

  start(session) {
    this.stop();
    this.timer = setInterval(() => this.show(session), 1000);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.before.clear();
    this.person = null;
  }

  /// What the server says of one's own line and of what is sent to it.
  note(person) { this.person = person; }

  async show(session) {
    const connection = session.connection;
    if (!connection || connection.connectionState === "closed") return;
    const { timer } = this;
    const reports = [...(await connection.getStats()).values()];
    if (timer !== this.timer) return;
    const of = (type, kind) => reports.find((report) => report.type === type && report.kind === kind);
    const codec = (report) => reports.find((each) => each.id === report?.codecId)?.mimeType?.split("/")[1];
    const pair = reports.find((report) => report.type === "candidate-pair" && report.nominated && report.state === "succeeded");
    const sections = [];
    const sent = { audio: of("outbound-rtp", "audio"), video: of("outbound-rtp", "video") };
    const remote = { audio: of("remote-inbound-rtp", "audio"), video: of("remote-inbound-rtp", "video") };
    if (sent.audio?.bytesSent || sent.video?.bytesSent) {
      const loss = Math.max(remote.audio?.fractionLost ?? 0, remote.video?.fractionLost ?? 0) * 100;
      sections.push(["Sending", [
        ["Picture", size(sent.video)], ["Codec", codec(sent.video)],
        ["Video", rate(this.bits(sent.video, "bytesSent"))], ["Audio", rate(this.bits(sent.audio, "bytesSent"))],
        ["Packet loss", percent(loss), loss > 3],
      ]]);
    }
    const got = { audio: of("inbound-rtp", "audio"), video: of("inbound-rtp", "video") };
    const lost = this.loss([got.audio, got.video]);
    sections.push(["Receiving", [
      ["Picture", size(got.video)], ["Codec", codec(got.video)],
      ["Video", rate(this.bits(got.video, "bytesReceived"))], ["Audio", rate(this.bits(got.audio, "bytesReceived"))],
      ["Packet loss", percent(lost), lost > 3],
      ["Jitter buffer", milliseconds(this.mean(got.audio, "jitterBufferDelay", "jitterBufferEmittedCount"))],
    ]]);
    const trip = pair?.currentRoundTripTime ?? remote.video?.roundTripTime ?? remote.audio?.roundTripTime;
    const stats = this.person?.stats ?? {};
    sections.push(["Path", [
      ["Output", this.person?.receives.auto ? `${this.person.receives.output ?? "sound alone"} (automatic)` : this.person?.receives.output ?? undefined],
      ["Line carries", rate(stats.estimatedBitsPerSecond)], ["Round trip", milliseconds(trip), trip > 0.3], ["Transport", transport(reports, pair)],
    ]]);
    this.element.replaceChildren(...sections.map(section));
  }

  /// How much a counter grew since the last look, by second.
  growth(report, field) {
    if (report?.[field] === undefined) return undefined;
    const key = `${report.id} ${field}`;
    const before = this.before.get(key);
    this.before.set(key, { value: report[field], time: report.timestamp });
    if (!before || report.timestamp <= before.time) return undefined;
    return { amount: report[field] - before.value, seconds: (report.timestamp - before.time) / 1000 };
  }

  bits(report, field) {
    const growth = this.growth(report, field);
    return growth && (8 * growth.amount) / growth.seconds;
  }

  mean(report, total, count) {
    const sum = this.growth(report, total);
    const number = this.growth(report, count);
    return sum && number?.amount > 0 ? sum.amount / number.amount : undefined;
  }

  loss(reports) {
    let lost = 0, received = 0;
    for (const report of reports) {
      lost += Math.max(0, this.growth(report, "packetsLost")?.amount ?? 0);
      received += this.growth(report, "packetsReceived")?.amount ?? 0;
    }
    return lost + received > 0 ? (100 * lost) / (lost + received) : undefined;
  }
}

const rate = (bits) => (bits === undefined ? undefined : bits >= 1e6 ? `${(bits / 1e6).toFixed(2)} Mb/s` : `${Math.round(bits / 1e3)} kb/s`);
const percent = (value) => (value === undefined ? undefined : `${value.toFixed(1)} %`);
const milliseconds = (seconds) => (seconds === undefined ? undefined : `${Math.round(seconds * 1000)} ms`);
const size = (report) => (report?.frameWidth ? `${report.frameWidth}×${report.frameHeight}, ${Math.round(report.framesPerSecond ?? 0)} fps` : undefined);

function transport(reports, pair) {
  const local = reports.find((report) => report.id === pair?.localCandidateId);
  return local && `${local.protocol?.toUpperCase() ?? ""} ${local.candidateType === "relay" ? "through a relay" : "direct"}`;
}

function section([title, rows]) {
  const made = document.createElement("section");
  const heading = document.createElement("h3");
  heading.textContent = title;
  const list = document.createElement("dl");
  for (const [name, value, isPoor] of rows) {
    if (value === undefined) continue;
    const term = document.createElement("dt");
    term.textContent = name;
    const figure = document.createElement("dd");
    figure.textContent = value;
    if (isPoor) figure.dataset.poor = "";
    list.append(term, figure);
  }
  made.append(heading, list);
  return made;
}
