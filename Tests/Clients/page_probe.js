// Runs inside the product's page: looks at what it shows and listens to what it plays.
({
  // The picture shown now, as a PNG in base64, or null before the first one.
  picture() {
    const video = document.querySelector("#picture");
    if (!video || !video.videoWidth) return null;
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
  },

  // So many seconds of the sound that arrives, of both channels together or of one, as base64 of 16-bit samples at 48 kHz.
  async sound(seconds, channel = null) {
    const track = document.querySelector("#picture").srcObject.getAudioTracks()[0];
    const context = new AudioContext({ sampleRate: 48000 });
    await context.resume();
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const tap = context.createScriptProcessor(4096, 1, 1);
    const parts = [];
    const splitter = context.createChannelSplitter(2);
    if (channel === null) source.connect(tap);
    else source.connect(splitter).connect(tap, channel);
    tap.connect(context.destination);
    await new Promise((done) => {
      tap.onaudioprocess = (event) => {
        parts.push(Int16Array.from(event.inputBuffer.getChannelData(0), (x) => Math.max(-1, Math.min(1, x)) * 32767));
        if (parts.length * 4096 >= seconds * 48000) done();
      };
      setTimeout(done, (seconds + 5) * 1000);
    });
    await context.close();
    let bytes = "";
    for (const part of parts) for (const byte of new Uint8Array(part.buffer)) bytes += String.fromCharCode(byte);
    return btoa(bytes);
  },

  // What the page says of itself, for the message of a failed test.
  words() {
    const text = (id) => document.querySelector(id)?.textContent.trim() ?? "absent";
    return `status: ${text("#status")}; error: ${text("#error")}`;
  },

  // Fills in the form and joins.
  join(name, room) {
    for (const [id, value] of [["#name", name], ["#room", room]]) {
      const field = document.querySelector(id);
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    document.querySelector("#join").click();
  },
})
