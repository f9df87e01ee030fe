// One media session: offer, answer, trickle, restart, and coming back after the network went away.

import { problem } from "/token.js";

const gatheringTime = 400;
const patience = 4000;
const waits = [1, 2, 4, 8, 15];
/// For some five minutes.
const roomAttempts = 24;
/// How long an answer may take before the server counts as gone, in milliseconds.
const answerTime = 3000;

/// Calls `on.state(tone, words)`, `on.stream(stream)`, `on.failed(words)`, `on.joined()`, before a session takes the place of another `on.parted()`,
/// and before each `on.output()`, which answers with the output to ask for.
export class Session {
  constructor({ room, name, token, stream, content, watches, on }) {
    Object.assign(this, { room, name, token, stream, content, watches, on });
    this.received = new MediaStream();
    this.attempt = 0;
    this.isOver = false;
    /// Addresses of sessions that this one took the place of.
    this.past = new Set();
  }

  get headers() { return this.token ? { Authorization: `Bearer ${this.token}` } : {}; }
  /// The last part of the session's address.
  get id() { return this.location?.split("/").pop() ?? null; }

  async start() {
    this.on.state("busy", this.attempt ? "Reconnecting…" : "Connecting…");
    try {
      await this.join();
      if (this.isOver) return;
      this.on.joined();
      // Only now: by his former session the server knows again who was let in already.
      this.endPast();
    } catch (error) {
      if (this.isOver) return;
      if (error instanceof Refused && !this.mayComeLater(error)) return this.on.failed(error.message);
      this.retry(!(error instanceof Refused) ? "The server cannot be reached." : error.isPassing ? error.message : "The room is not open.");
    }
  }

  /// Whether a refusal may be another one later. Who was in the room waits for it a while where there is none any more: whoever made it
  /// makes it anew after a restart.
  mayComeLater(refusal) {
    return refusal.isPassing || (refusal.status === 404 && this.hasConnected && this.attempt < roomAttempts);
  }

  async join() {
    // Who sends nothing comes as a viewer, with lines that could carry something: a host may ask him onto the stage.
    const watches = this.watches && !this.stream.getTracks().length;
    // Without a picture there is no screen to give a place to.
    const content = this.stream.getVideoTracks().length ? this.content : "main";
    let url = `/rooms/${encodeURIComponent(this.room)}/participants?name=${encodeURIComponent(this.name)}&content=${content}${watches ? "&role=viewer" : ""}`;
    const [iceServers, output] = await Promise.all([this.iceServers(url), this.on.output()]);
    if (output) url += `&output=${encodeURIComponent(output)}`;
    if (this.isOver) return;
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers });
    // A connection that stands says goodbye by itself.
    if (this.location && this.connection?.connectionState !== "connected") this.past.add(this.location);
    this.location = null;
    this.on.parted();
    this.connection?.close();
    this.connection = connection;
    this.received = new MediaStream();
    this.etag = null;
    this.unsent = [];
    for (const kind of ["audio", "video"]) {
      const track = this.stream.getTracks().find((each) => each.kind === kind);
      const transceiver = connection.addTransceiver(track ?? kind, { direction: track || watches ? "sendrecv" : "recvonly", streams: track ? [this.stream] : [] });
      this[kind] = transceiver.sender;
      this[`${kind}Transceiver`] = transceiver;
    }
    connection.ontrack = ({ track }) => {
      this.received.addTrack(track);
      this.on.stream(this.received);
    };
    connection.onicecandidate = ({ candidate }) => this.trickle(candidate);
    connection.onconnectionstatechange = () => this.watch(connection);
    await offer(connection);
    await gathered(connection);
    this.unsent = [];
    const response = await this.request(url, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: connection.localDescription.sdp });
    this.location = new URL(response.headers.get("Location"), location.origin).pathname;
    this.etag = response.headers.get("ETag");
    if (this.isOver) return this.leave();
    const answer = await response.text();
    this.isLocalOnly = candidatesOf(answer).every((candidate) => / (127\.\d+\.\d+\.\d+|::1) /.test(candidate));
    await connection.setRemoteDescription({ type: "answer", sdp: inOneChannel(answer) });
    this.flush();
  }

  /// STUN and TURN servers that the server names in Link headers.
  async iceServers(url) {
    const response = await this.request(url, { method: "OPTIONS" });
    const links = (response.headers.get("Link") ?? "").matchAll(/<([^>]+)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g);
    return [...links].filter(([, , rest]) => rest.includes('rel="ice-server"')).map(([, urls, rest]) => {
      const value = (key) => rest.match(new RegExp(`${key}="((?:[^"\\\\]|\\\\.)*)"`))?.[1].replace(/\\(.)/g, "$1");
      return { urls, username: value("username"), credential: value("credential") };
    });
  }

  async request(url, options) {
    const response = await fetch(url, { ...options, headers: { ...this.headers, ...options.headers } });
    if (!response.ok) throw await Refused.from(response);
    return response;
  }

  // MARK: Candidates

  trickle(candidate) {
    if (!candidate?.candidate) return;
    this.unsent.push(candidate);
    if (this.etag) this.flush();
  }

  /// Sends what was gathered since; a server that takes no trickle finds the candidates by itself.
  flush() {
    if (!this.unsent.length || !this.location || this.isOver) return;
    const body = fragment(this.connection.localDescription.sdp, this.unsent.splice(0));
    this.request(this.location, { method: "PATCH", headers: { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": this.etag ?? "*" }, body }).catch(() => {});
  }

  // MARK: Staying connected

  watch(connection) {
    if (this.isOver || connection !== this.connection) return;
    clearTimeout(this.timer);
    switch (connection.connectionState) {
      case "connected":
        this.attempt = 0;
        this.hasConnected = true;
        this.on.state("good", "Connected");
        break;
      case "disconnected":
        this.on.state("busy", "The connection falters…");
        this.timer = setTimeout(() => this.restart(), patience);
        break;
      case "failed":
        if (!this.hasConnected && this.isLocalOnly && navigator.userAgent.includes("Firefox")) {
          return this.on.failed("Firefox does not connect to a loopback address. Start the server with --rtc and an address of this machine.");
        }
        this.restart();
        break;
    }
  }

  /// New ICE credentials for the same session (RFC 9725 section 4.3.3); where that fails, a new session.
  async restart() {
    if (this.isOver || this.isRestarting) return;
    const connection = this.connection;
    this.on.state("busy", "Reconnecting…");
    this.isRestarting = true;
    try {
      connection.restartIce();
      await offer(connection);
      await gathered(connection);
      const sdp = connection.localDescription.sdp;
      this.unsent = [];
      const response = await this.request(this.location, {
        method: "PATCH", headers: { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" },
        body: fragment(sdp, candidatesOf(sdp)), signal: AbortSignal.timeout(answerTime),
      });
      if (response.status !== 200) throw new Error("the server did not restart");
      this.etag = response.headers.get("ETag") ?? this.etag;
      await connection.setRemoteDescription({ type: "answer", sdp: withCredentials(connection.currentRemoteDescription.sdp, await response.text()) });
      this.timer = setTimeout(() => { if (connection.connectionState !== "connected") this.retry("The connection was lost."); }, 2 * patience);
    } catch {
      if (connection === this.connection) this.retry("The connection was lost.");
    } finally { this.isRestarting = false; }
  }

  /// Something says that the server may be gone: asks it for this session until it answers. A server that was started anew knows
  /// nothing of it, and the session begins anew as well.
  async verify() {
    if (this.isVerifying) return;
    this.isVerifying = true;
    while (!this.isOver && this.location) {
      try {
        const response = await fetch(`/v1${this.location}`, { headers: this.headers, signal: AbortSignal.timeout(answerTime) });
        if (response.status === 404) {
          this.location = null;
          this.retry("The server was started anew.");
        } else if (this.connection?.connectionState === "connected") this.on.state("good", "Connected");
        break;
      } catch {
        this.on.state("busy", "The server does not answer…");
        await new Promise((done) => { setTimeout(done, 1000); });
      }
    }
    this.isVerifying = false;
  }

  retry(reason) {
    if (this.isOver) return;
    clearTimeout(this.timer);
    const seconds = waits[Math.min(this.attempt, waits.length - 1)];
    this.attempt += 1;
    this.on.state("busy", `${reason} Next try in ${seconds} s.`);
    this.timer = setTimeout(() => this.start(), seconds * 1000);
  }

  /// Puts another track, or none, in the place of what is sent.
  async replace(kind, track) {
    const transceiver = this[`${kind}Transceiver`];
    if (!transceiver) return;
    await transceiver.sender.replaceTrack(track);
  }

  leave() {
    this.isOver = true;
    clearTimeout(this.timer);
    if (this.location) this.past.add(this.location);
    this.location = null;
    // A connection says goodbye as it closes: then there would be no session left to delete, and a fault on the console.
    const connection = this.connection;
    this.endPast().finally(() => connection?.close());
  }

  /// Takes sessions that are over out of the room, where nobody is to be seen twice. A server that cannot be reached finds out by itself.
  endPast() {
    const requests = [...this.past].map((address) =>
      fetch(address, { method: "DELETE", keepalive: true, headers: this.headers, signal: AbortSignal.timeout(answerTime) }).catch(() => {}));
    this.past.clear();
    return Promise.all(requests);
  }
}

/// An answer that says no.
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
  /// Whether it may be otherwise later.
  get isPassing() { return this.status === 503 || this.status === 429 || this.status === 504 || this.status === 502; }

  static async from(response) {
    return new Refused(response.status, await problem(response));
  }
}

function gathered(connection) {
  return new Promise((done) => {
    if (connection.iceGatheringState === "complete") return done();
    connection.addEventListener("icegatheringstatechange", () => { if (connection.iceGatheringState === "complete") done(); });
    setTimeout(done, gatheringTime);
  });
}

/// Begins a negotiation. Chromium plays a stereo room in one channel unless its own offer speaks of two (RFC 7587 section 6.1).
async function offer(connection) {
  const { type, sdp } = await connection.createOffer();
  await connection.setLocalDescription({ type, sdp: overOpus(sdp, (parameters) => (/(^|;)\s*stereo=/.test(parameters) ? parameters : `${parameters};stereo=1`)) });
}

/// The answer without the wish for two channels of a microphone, which has one: they would take twice the bits.
const inOneChannel = (sdp) => overOpus(sdp, (parameters) => parameters.replace(/(^|;)\s*stereo=1/, "").replace(/^;/, ""));

/// Changes the parameters of Opus in a description.
function overOpus(sdp, change) {
  const type = sdp.match(/^a=rtpmap:(\d+) opus\//im)?.[1];
  return type ? sdp.replace(new RegExp(`^(a=fmtp:${type} )(.*?)(\r?)$`, "m"), (_, start, parameters, end) => start + change(parameters) + end) : sdp;
}

const line = (sdp, name) => sdp.match(new RegExp(`^a=${name}:(.*)$`, "m"))?.[1].trim() ?? "";

/// An SDP fragment (RFC 8840) with the candidates of the bundle's first section.
function fragment(sdp, candidates) {
  const media = sdp.match(/^m=.*$/m)?.[0].trim() ?? "m=audio 9 UDP/TLS/RTP/SAVPF 0";
  const lines = [`a=ice-ufrag:${line(sdp, "ice-ufrag")}`, `a=ice-pwd:${line(sdp, "ice-pwd")}`, media, `a=mid:${line(sdp, "mid")}`];
  for (const each of candidates) lines.push(`a=${each.candidate ?? each}`);
  return lines.join("\r\n") + "\r\n";
}

function candidatesOf(sdp) {
  return [...new Set([...sdp.matchAll(/^a=(candidate:.*)$/gm)].map((match) => match[1].trim()))];
}

/// The last answer with the credentials and candidates of a fragment.
function withCredentials(sdp, answer) {
  const candidates = candidatesOf(answer);
  let next = sdp.replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${line(answer, "ice-ufrag")}`).replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${line(answer, "ice-pwd")}`);
  if (candidates.length) {
    next = next.replace(/^a=candidate:.*\r?\n/gm, "");
    next = next.replace(/^(a=ice-ufrag:.*\r?\n)/m, `$1${candidates.map((each) => `a=${each}\r\n`).join("")}`);
  }
  return next;
}
