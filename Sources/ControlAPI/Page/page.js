// The page: lobby, room, and the way between them.

import * as devices from "/devices.js";
import { Lead, mayLead } from "/lead.js";
import { OwnLook } from "/own-look.js";
import { Room } from "/room.js";
import { Session } from "/session.js";
import { Statistics } from "/statistics.js";
import { grantedRole, headers, problem, subject, token } from "/token.js";

const $ = (id) => document.getElementById(id);
const statistics = new Statistics($("statistics"));
let session = null;
let room = null;
let look = null;
/// What is or will be sent.
let stream = null;
/// Counts the requests for devices: an answer that comes when something else is wanted already is let go.
let opening = 0;
let isMuted = false;
let isDeaf = false;
let isPictureOff = false;
let isHandUp = false;
/// One's role, as the server has it.
let role = null;
/// What the server was last seen to hold of oneself: who else changes it shows by the difference.
let known = { audioMuted: false, deaf: false };
/// Whether the room is shown to its audience.
let isOnAir = true;
/// The audio output that was chosen here.
let sound = "main";
/// The output whose picture one is sent, or "auto"; null where the server has not said yet, and nothing else was asked for.
let picture = null;

// MARK: Words

function status(tone, words) {
  $("status").dataset.tone = tone;
  $("status").textContent = words;
}

/// - tone: "bad" for what went wrong, "news" for what others did.
function notice(words, tone = "bad") {
  $("error").textContent = words;
  $("error").dataset.tone = tone;
  $("error").hidden = !words;
}

// MARK: Address

function roomAddress() {
  const address = new URL("/", location.href);
  address.searchParams.set("room", $("room").value.trim());
  return address;
}

function followRoom() {
  if ($("room").checkValidity()) history.replaceState(null, "", roomAddress());
  clearTimeout(followRoom.timer);
  followRoom.timer = setTimeout(showPresence, 250);
}

async function showPresence() {
  const name = $("room").value.trim();
  if (!$("room").checkValidity()) {
    $("presence").textContent = "Room names are letters, digits, dot, underscore and hyphen.";
    return;
  }
  let words = "";
  try {
    const response = await fetch(`/v1/rooms?name=${encodeURIComponent(name)}&audience=count`, { headers });
    if (response.status === 401 || response.status === 403) words = await problem(response);
    if (response.ok) {
      const { rooms } = await response.json();
      const onStage = (rooms[0]?.participants ?? []).filter(({ role }) => role !== "viewer");
      const names = onStage.slice(0, 3).map((person) => person.name || "Guest");
      const others = onStage.length - names.length;
      if (others > 0) names.push(`${others} more`);
      const audience = rooms[0]?.audience ?? 0;
      if (audience) names.push(audience === 1 ? "one who watches" : `${audience} who watch`);
      // Behind a lobby nobody is shown but to hosts.
      const isHidden = rooms[0]?.admission.lobby && !mayLead;
      words = names.length ? `In the room: ${names.join(", ")}.` : isHidden ? "This room has a lobby: a host will let you in." : "Nobody is in this room yet.";
    }
  } catch { words = "The server cannot be reached."; }
  if (name === $("room").value.trim()) $("presence").textContent = words;
}

// MARK: Devices

const choice = () => ({ source: $("source").value, cameraId: $("camera-select").value, microphoneId: $("microphone-select").value });

/// The devices that are chosen now; null where something else was asked for before they were open.
async function openDevices(wanted = choice()) {
  const number = (opening += 1);
  devices.stop(stream);
  const opened = await devices.open(wanted);
  if (number !== opening) {
    devices.stop(opened.stream);
    return null;
  }
  stream = opened.stream;
  notice(opened.words);
  for (const track of stream.getVideoTracks()) track.addEventListener("ended", () => { if (session) setPicture(true); });
  await devices.list($("camera-select"), "videoinput", "Camera");
  await devices.list($("microphone-select"), "audioinput", "Microphone");
  return stream;
}

async function showPreview() {
  // Who is coming in already has asked for his devices.
  if ($("join").disabled) return;
  $("preview-start").disabled = true;
  const opened = await openDevices();
  $("preview-start").disabled = $("join").disabled;
  if (!opened || $("join").disabled) return;
  const hasPicture = stream.getVideoTracks().length > 0;
  $("preview").srcObject = stream;
  $("preview").parentElement.dataset.kind = $("source").value;
  $("preview").parentElement.toggleAttribute("data-live", hasPicture);
  $("preview-words").textContent = stream.getAudioTracks().length && !hasPicture ? "Your microphone is on. There is no picture." : "See how you look before you go in.";
  meter();
}

function endPreview() {
  $("preview").srcObject = null;
  $("preview").parentElement.removeAttribute("data-live");
  $("level-frame").hidden = true;
  meter.context?.close();
  meter.context = null;
}

/// Shows that the microphone hears something.
function meter() {
  meter.context?.close();
  meter.context = null;
  const hasSound = Boolean(stream?.getAudioTracks().length);
  $("level-frame").hidden = !hasSound;
  if (!hasSound) return;
  const context = new AudioContext();
  meter.context = context;
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const draw = () => {
    if (meter.context !== context) return;
    analyser.getFloatTimeDomainData(samples);
    $("level").value = Math.min(1, Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length) * 5);
    requestAnimationFrame(draw);
  };
  draw();
}

function followSource() {
  const source = $("source").value;
  $("camera-label").hidden = source !== "camera";
  $("microphone-label").hidden = source === "none";
  $("preview-words").textContent = source === "none" ? "You will watch and listen. Nobody sees or hears you." : "See how you look before you go in.";
  $("preview-start").hidden = source === "none";
  $("preview-start").textContent = source === "screen" ? "Choose a screen" : "Turn on camera and microphone";
  if (source === "none" || source === "screen") {
    letGo();
    endPreview();
  } else if (stream) showPreview();
}

/// Lets devices go, those that are only being opened as well.
function letGo() {
  opening += 1;
  devices.stop(stream);
  stream = null;
}

/// Lets devices go, so that there is nothing to send.
function stopSending() {
  letGo();
  stream = new MediaStream();
}

// MARK: Joining and leaving

/// While one comes in, what was filled in stays as it is.
function lockForm(isLocked) {
  for (const field of $("form").elements) field.disabled = isLocked;
  $("preview-start").disabled = isLocked;
}

async function join() {
  if (session || $("join").disabled) return;
  notice("");
  lockForm(true);
  status("busy", "Getting ready…");
  const name = $("name").value.trim() || "Guest";
  const roomName = $("room").value.trim();
  localStorage.setItem("name", $("name").value.trim());
  const watches = $("source").value === "none" || grantedRole === "viewer";
  const hasWanted = stream?.getTracks().some((track) => track.readyState === "live");
  if (watches) stopSending();
  else if (!hasWanted) await openDevices();
  endPreview();
  isMuted = isDeaf = isHandUp = false;
  role = watches ? "viewer" : null;
  sound = "main";
  picture = null;
  isPictureOff = !stream.getVideoTracks().length;
  enterRoom(roomName);
  session = new Session({
    room: roomName, name, token, stream, content: $("source").value === "screen" ? "slides" : "main", watches,
    on: {
      state: (tone, words) => {
        status(tone, words);
        showVeil(tone === "good" ? "" : words);
      },
      stream: showPicture,
      // Who he was leaves the room, he himself does not.
      parted: () => { if (room) room.ownId = null; },
      joined: () => {
        notice(role === "viewer" && $("source").value !== "none" ? inAudience : "", "news");
        room.ownId = session.id;
        // Events are of rooms that exist: the first to join makes his.
        room.start();
        tellAgain();
      },
      failed: (words) => { leave(); notice(words); },
      output: outputWanted,
    },
  });
  room = new Room({
    name: roomName, token, countsAudience: !mayLead && Boolean(subject), elements: { participants: $("participants"), count: $("people-count"), alone: $("alone"), 
      layouts: { list: $("layouts"), empty: $("layouts-empty"), edit: $("edit-layouts"), of: $("layout-of"), ofLabel: $("layout-of-label") } },
    on: { notice, removed, own: followOwn, sounds: showSounds, pictures: showPictures, lost: () => session?.verify(), stage: followStage },
  });
  if (mayLead) room.lead = new Lead(room, $, notice);
  look = new OwnLook(room, $, notice);
  const joining = session.start();
  statistics.start(session);
  showControls();
  await joining;
}

/// The server took this page out of the room: for good, unless the server itself is stopping and may be back.
function removed(reason, closing) {
  if (reason === "closed" && closing === "the server is stopping") return session.retry("The server is stopping.");
  // The session is over already: there is nothing to delete.
  session.location = null;
  leave();
  const words = { closed: "The room was closed.", kicked: "You were removed from the room.", refused: "You were not let into the room." };
  notice(words[reason] ?? "You left the room.");
}

function enterRoom(name) {
  scrollTo(0, 0);
  document.body.dataset.phase = "room";
  $("lobby").hidden = true;
  $("stage").hidden = false;
  $("side").hidden = false;
  $("room-chip").hidden = false;
  $("room-name").textContent = name;
  document.title = `${name} · Tutti`;
  $("mute").focus({ preventScroll: true });
}

function leave() {
  session?.leave();
  room?.stop();
  look?.stop();
  statistics.stop();
  letGo();
  session = room = look = null;
  $("picture").srcObject = null;
  $("picture").muted = false;
  $("sound-label").hidden = true;
  $("picture-label").hidden = true;
  document.body.dataset.phase = "lobby";
  $("stage").hidden = $("side").hidden = $("room-chip").hidden = true;
  $("lobby").hidden = false;
  scrollTo(0, 0);
  lockForm(false);
  document.title = "Tutti";
  status("", "Not in a room");
  notice("");
  showPresence();
  $("join").focus({ preventScroll: true });
}

function showPicture(received) {
  const picture = $("picture");
  if (picture.srcObject !== received) picture.srcObject = received;
  picture.play().then(() => { $("listen").hidden = true; }, (error) => { $("listen").hidden = error.name !== "NotAllowedError"; });
}

/// The output to ask for as one comes: of who only watches what his line carries, where the room has one picture at several rates; null
/// for the room's first. What was chosen by name is asked for once one is in: it may be gone by now.
async function outputWanted() {
  if (picture || role !== "viewer") return picture === "auto" ? picture : null;
  try {
    // Asked for by its name alone, a room that is not there yet would be a fault on the console.
    const response = await fetch(`/v1/rooms?name=${encodeURIComponent(room.name)}&audience=count`, { headers });
    if (response.ok && isLadder((await response.json()).rooms[0]?.outputs ?? [])) picture = "auto";
  } catch { /* Nothing else will be answered either, and that is told. */ }
  return picture;
}

/// Whether outputs are the same picture in several sizes: what has a layout of its own or another shape shows something else.
function isLadder([first, ...others]) {
  const isSame = ({ layout, width, height }) => layout === first.layout && Math.abs((width * first.height) / (height * first.width) - 1) < 0.02;
  return others.length > 0 && others.every(isSame);
}

function showVeil(words) {
  $("veil").textContent = words || "Waiting for the picture…";
  $("veil").hidden = !words && $("picture").videoWidth > 0;
}

// MARK: Controls

function showControls() {
  const hasSound = Boolean(stream?.getAudioTracks().length);
  $("mute").disabled = !hasSound;
  // Their words say what a press will do; whether they are on is said by them alone.
  const show = (id, isOn) => $(id).toggleAttribute("data-on", isOn);
  show("mute", isMuted || !hasSound);
  $("mute").querySelector("span").textContent = !hasSound && role !== "viewer" ? "No microphone" : isMuted || !hasSound ? "Unmute" : "Mute";
  show("deafen", isDeaf);
  $("deafen").querySelector("span").textContent = isDeaf ? "Sound on" : "Sound off";
  show("hand", isHandUp);
  $("hand").querySelector("span").textContent = isHandUp ? "Lower hand" : "Raise hand";
  show("camera", isPictureOff);
  $("camera").disabled = $("source").value === "none" || role === "viewer";
  const what = $("source").value === "screen" ? "Screen" : "Camera";
  $("camera").querySelector("span").textContent = isPictureOff ? `${what} on` : `${what} off`;
}

/// Before the start, and in the lobby, the picture is one for waiting.
function followStage(stage, isWaiting) {
  isOnAir = stage?.onAir ?? isOnAir;
  if (isWaiting) status("busy", "In the lobby: a host will let you in");
  else if (session?.connection?.connectionState === "connected") status("good", role === "viewer" && !isOnAir ? "Connected; it has not begun yet" : "Connected");
}

async function toggleHand() {
  if (!session) return;
  const wanted = !isHandUp;
  const { done, words } = await room.change({ handRaised: wanted });
  if (done) isHandUp = wanted;
  else notice(words);
  showControls();
}

const inAudience = "You are in the audience: nobody sees or hears you.";

/// A host asked one onto the stage, or back into the audience; or one learns only now that the audience is where one came to.
async function followRole(next) {
  const before = role;
  const own = session;
  role = next;
  if (before === next || !own) return;
  own.watches = next === "viewer";
  if (next === "viewer") {
    stopSending();
    own.stream = stream;
    isPictureOff = true;
    for (const kind of ["audio", "video"]) await own.replace(kind, null);
    notice(inAudience, "news");
  } else if (before === "viewer") {
    if ($("source").value === "none") {
      $("source").value = "camera";
      followSource();
    }
    const wanted = choice();
    // It was a host who asked: nobody is seen or heard before he presses for it himself. He may have left, or be in the audience again,
    // before his microphone is open.
    if (!(await openDevices({ ...wanted, source: "microphone" })) || session !== own) return;
    own.stream = stream;
    for (const track of stream.getTracks()) await own.replace(track.kind, track);
    isPictureOff = true;
    tellPicture(true);
    setMuted(true);
    tellMuted();
    const button = wanted.source === "screen" ? "Screen on" : wanted.source === "camera" ? "Camera on" : null;
    // Without a microphone it was said why.
    if (stream.getTracks().length) notice(`You are on the stage. Unmute yourself to be heard${button ? `, press “${button}” to be seen` : ""}.`, "news");
  }
  showControls();
}

function setMuted(muted) {
  isMuted = muted;
  for (const track of stream?.getAudioTracks() ?? []) track.enabled = !muted;
  showControls();
}

/// Tells the server whether one is muted here. One after the other, so that the last is what holds.
function tellMuted() {
  const wanted = isMuted;
  tellMuted.last = Promise.resolve(tellMuted.last).then(async () => {
    const answer = (await room?.change({ audioMuted: wanted })) ?? { done: false, words: "" };
    if (answer.done) known.audioMuted = wanted;
    return answer;
  });
  return tellMuted.last;
}

/// Muted here at once; told to the server, so that the others see it. Where a token does not allow that, nobody misses it.
async function toggleMute() {
  if (!session || $("mute").disabled) return;
  setMuted(!isMuted);
  const wanted = isMuted;
  const { done, words } = await tellMuted();
  if (done && !wanted && $("error").dataset.tone === "news") notice("");
  // Who was muted by others stays so until the server agrees.
  if (!done && !wanted && known.audioMuted) {
    setMuted(true);
    notice(words);
  }
}

async function toggleDeaf() {
  if (!session) return;
  setDeaf(!isDeaf);
  const wanted = isDeaf;
  const { done } = await room.change({ deaf: wanted });
  if (done) known.deaf = wanted;
}

function setDeaf(deaf) {
  isDeaf = deaf;
  $("picture").muted = deaf;
  showControls();
}

/// What the server says of oneself. It may mute a microphone, but never turns one on.
function followOwn(person) {
  followRole(person.role);
  isHandUp = person.handRaised;
  followStage(null, person.admitted === false);
  showControls();
  if (person.audioMuted && !known.audioMuted && !isMuted) {
    setMuted(true);
    notice("Somebody who leads this room has muted you.", "news");
  }
  const maySpeak = !person.audioMuted && known.audioMuted && isMuted && person.role !== "viewer";
  if (maySpeak) notice("You may speak again: unmute yourself.", "news");
  if (person.deaf !== known.deaf && person.deaf !== isDeaf) setDeaf(person.deaf);
  known = { audioMuted: person.audioMuted, deaf: person.deaf };
  // Nobody is to think that he is heard: this microphone stays muted until he unmutes it himself.
  if (maySpeak) tellMuted();
  $("sound-select").value = sound = person.receives.audio ?? "main";
  picture = person.receives.auto ? "auto" : person.receives.output;
  if (picture) $("picture-select").value = picture;
  look?.follow(person);
  statistics.note(person);
}

/// After the connection was lost one is somebody new to the server.
function tellAgain() {
  known = { audioMuted: false, deaf: false };
  if (isMuted) tellMuted();
  if (isDeaf) room.change({ deaf: true });
  if (sound !== "main") room.change({ audioOutput: sound });
  // Who leaves it to his line has asked for that as he came.
  if (picture && picture !== "auto") room.change({ output: picture });
  look?.tellAgain();
}

/// A choice only where there is one.
function showSounds(outputs) {
  const options = outputs.map(({ name, bitrate }) => new Option(`${name === "main" ? "Standard" : name} (${Math.round(bitrate / 1000)} kb/s)`, name));
  $("sound-select").replaceChildren(new Option("What my line carries", "auto"), ...options);
  $("sound-select").value = sound;
  $("sound-label").hidden = outputs.length < 2;
}

/// A choice only where there is one.
function showPictures(outputs) {
  const options = outputs.map(({ name, height, fps, bitrate }) => new Option(`${name} (${height}p${fps}, ${Math.round(bitrate / 1000)} kb/s)`, name));
  $("picture-select").replaceChildren(new Option("What my line carries", "auto"), ...options);
  $("picture-select").value = picture ?? outputs[0]?.name;
  $("picture-label").hidden = outputs.length < 2;
}

async function choosePicture() {
  const { done, words } = await room.change({ output: $("picture-select").value });
  if (done) picture = $("picture-select").value;
  notice(done ? "" : `The picture could not be changed. ${words}`);
  if (picture) $("picture-select").value = picture;
}

async function chooseSound() {
  const { done, words } = await room.change({ audioOutput: $("sound-select").value });
  notice(done ? "" : `The sound could not be changed. ${words}`);
  $("sound-select").value = sound;
}

/// Tells the server whether there is a picture: left to find out by itself it would go on showing the last one for seconds.
/// Who shows no screen any more is not to keep the place of one. One after the other, so that the last is what holds.
function tellPicture(off) {
  const content = $("source").value === "screen" ? { content: off ? "main" : "slides" } : {};
  tellPicture.last = Promise.resolve(tellPicture.last).then(() => room?.change({ videoMuted: off, ...content }));
}

/// Turning the picture off stops the camera, so that its light goes out.
async function setPicture(off) {
  if (!session || $("camera").disabled || isPictureOff === off) return;
  if (off) {
    for (const track of stream.getVideoTracks()) {
      track.stop();
      stream.removeTrack(track);
    }
    tellPicture(true);
    await session.replace("video", null);
    isPictureOff = true;
  } else {
    const own = session;
    $("camera").disabled = true;
    const { track, words } = await devices.openPicture(choice());
    // One who left meanwhile, or was sent to the audience, is not to be filmed.
    if (session !== own || role === "viewer") {
      track?.stop();
      return;
    }
    notice(words);
    if (track) {
      stream.addTrack(track);
      track.addEventListener("ended", () => setPicture(true));
      if (own.videoTransceiver.currentDirection === "recvonly") {
        own.stream = stream;
        own.start();
      } else {
        tellPicture(false);
        await own.replace("video", track);
      }
      isPictureOff = false;
    }
  }
  showControls();
}

async function share() {
  const label = $("share");
  // Without https there is no clipboard to write to; one can still copy by hand.
  try { await navigator.clipboard.writeText(roomAddress().href); } catch { return prompt("The address of this room:", roomAddress().href); }
  label.textContent = "Copied";
  setTimeout(() => { label.textContent = "Copy link"; }, 2000);
}

function toggleFullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else $("frame").requestFullscreen?.().catch(() => {});
}

function shortcut(event) {
  if (!session || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target instanceof Element && event.target.closest("input, select, textarea")) return;
  const action = { m: toggleMute, d: toggleDeaf, h: toggleHand, v: () => setPicture(!isPictureOff), f: toggleFullscreen }[event.key.toLowerCase()];
  if (action) {
    event.preventDefault();
    action();
  }
}

// MARK: Start

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  join().catch((error) => { leave(); notice(`Joining failed: ${error.message}`); });
});
$("room").addEventListener("input", followRoom);
$("source").addEventListener("change", followSource);
$("preview-start").addEventListener("click", showPreview);
for (const id of ["camera-select", "microphone-select"]) $(id).addEventListener("change", () => { if (stream) showPreview(); });
$("leave").addEventListener("click", leave);
$("mute").addEventListener("click", toggleMute);
$("hand").addEventListener("click", toggleHand);
$("deafen").addEventListener("click", toggleDeaf);
$("sound-select").addEventListener("change", chooseSound);
$("picture-select").addEventListener("change", choosePicture);
$("camera").addEventListener("click", () => setPicture(!isPictureOff));
$("fullscreen").addEventListener("click", toggleFullscreen);
$("share").addEventListener("click", share);
$("listen").addEventListener("click", () => $("picture").play().then(() => { $("listen").hidden = true; }));
$("picture").addEventListener("resize", () => {
  const { videoWidth, videoHeight } = $("picture");
  if (!videoWidth) return;
  $("veil").hidden = true;
  $("frame").style.setProperty("--shape", `${videoWidth} / ${videoHeight}`);
});
document.addEventListener("keydown", shortcut);
addEventListener("pagehide", () => session?.leave());
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
navigator.mediaDevices?.addEventListener?.("devicechange", () => {
  devices.list($("camera-select"), "videoinput", "Camera");
  devices.list($("microphone-select"), "audioinput", "Microphone");
});

$("name").value = localStorage.getItem("name") ?? "";
$("room").value = new URLSearchParams(location.search).get("room") || "lobby";
followSource();
showPresence();
if (!devices.isPossible()) notice("Cameras work only over https or on localhost. Here you can watch and listen.");
else if (grantedRole !== "viewer") devices.isGranted().then((granted) => { if (granted && !session && !stream && $("source").value === "camera") showPreview(); });
