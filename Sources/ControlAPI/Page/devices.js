// Cameras, microphones and screens, and their failures in words.

export const isPossible = () => Boolean(navigator.mediaDevices?.getUserMedia);

const picture = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const exact = (id) => (id ? { deviceId: { exact: id } } : {});
const voice = (id) => ({ echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...exact(id) });

const impossible = "This page has no access to cameras here: open it over https or on localhost.";

/// A stream of what was chosen. Falls back to what there is and says so: { stream, words }.
export async function open({ source, cameraId, microphoneId }) {
  if (source === "none") return { stream: new MediaStream(), words: "" };
  if (!isPossible()) {
    return { stream: new MediaStream(), words: `${impossible} You can watch and listen.` };
  }
  if (source === "screen") return openScreen(microphoneId);
  if (source === "microphone") return openSound(microphoneId);
  const audio = voice(microphoneId);
  const video = { ...picture, ...exact(cameraId) };
  try {
    return { stream: await navigator.mediaDevices.getUserMedia({ audio, video }), words: "" };
  } catch (error) {
    const single = await firstThatWorks([{ audio }, { video }]);
    if (!single) return { stream: new MediaStream(), words: words(error, "camera and microphone") };
    const missing = single.getVideoTracks().length ? "microphone" : "camera";
    return { stream: single, words: words(error, missing) };
  }
}

/// The picture alone of what was chosen: { track, words }.
export async function openPicture({ source, cameraId }) {
  if (!isPossible()) return { track: null, words: impossible };
  try {
    const stream = source === "screen" ? await screen() : await navigator.mediaDevices.getUserMedia({ video: { ...picture, ...exact(cameraId) } });
    return { track: stream.getVideoTracks()[0] ?? null, words: "" };
  } catch (error) {
    return { track: null, words: words(error, source === "screen" ? "screen" : "camera") };
  }
}

async function screen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: false });
  for (const track of stream.getVideoTracks()) track.contentHint = "detail";
  return stream;
}

async function openSound(microphoneId) {
  try {
    return { stream: await navigator.mediaDevices.getUserMedia({ audio: voice(microphoneId) }), words: "" };
  } catch (error) {
    return { stream: new MediaStream(), words: words(error, "microphone") };
  }
}

async function openScreen(microphoneId) {
  let stream;
  try { stream = await screen(); } catch (error) { return { stream: new MediaStream(), words: words(error, "screen") }; }
  const sound = await firstThatWorks([{ audio: { echoCancellation: true, ...exact(microphoneId) } }]);
  for (const track of sound?.getAudioTracks() ?? []) stream.addTrack(track);
  return { stream, words: sound ? "" : "Your screen is shown, but no microphone could be used." };
}

async function firstThatWorks(choices) {
  for (const choice of choices) {
    try { return await navigator.mediaDevices.getUserMedia(choice); } catch { /* The next choice may do. */ }
  }
  return null;
}

/// Fills a select with the devices of a kind and keeps what was chosen.
export async function list(select, kind, fallback) {
  if (!navigator.mediaDevices?.enumerateDevices) return;
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === kind);
  const chosen = select.value;
  const options = devices.filter((device) => device.deviceId).map((device, index) => new Option(device.label || `${fallback} ${index + 1}`, device.deviceId));
  select.replaceChildren(new Option(`Default ${fallback.toLowerCase()}`, ""), ...options);
  if (options.some((option) => option.value === chosen)) select.value = chosen;
}

export function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/// Whether the camera may be used without a question.
export async function isGranted() {
  try {
    const camera = await navigator.permissions.query({ name: "camera" });
    const microphone = await navigator.permissions.query({ name: "microphone" });
    return camera.state === "granted" && microphone.state === "granted";
  } catch { return false; }
}

function words(error, what) {
  switch (error?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return what === "screen"
        ? "No screen was chosen to be shown."
        : `The browser does not let this page use the ${what}. Allow it beside the address, then try again.`;
    case "NotFoundError": return `No ${what} was found. Connect one, or go on without.`;
    case "NotReadableError": return `The ${what} is in use by another program.`;
    case "OverconstrainedError": return `The chosen ${what} is no longer there. Choose another.`;
    default: return `The ${what} could not be used${error?.message ? ` (${error.message})` : ""}.`;
  }
}
