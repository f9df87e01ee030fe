// How one is seen: the image shown in place of a picture, and whether one sees oneself.

import { problem } from "/token.js";

/// The server takes no larger image; what is larger, or of another kind, is drawn anew.
const bytesMax = 1 << 20;
const sideMax = 1024;

export class OwnLook {
  /// - room: the Room one is in.
  /// - find: gives an element by its id.
  constructor(room, find, notice) {
    Object.assign(this, { room, find, notice });
    /// The image that was chosen here, to be sent again after the connection was lost.
    this.image = null;
    this.self = null;
    this.known = null;
    this.find("own").hidden = false;
    this.find("avatar-choose").onclick = () => this.find("avatar-file").click();
    this.find("avatar-file").onchange = ({ target }) => {
      const [file] = target.files;
      // Chosen again, the same file is to be told of again.
      target.value = "";
      if (file) this.choose(file);
    };
    this.find("avatar-remove").onclick = () => this.remove();
    this.find("self-select").onchange = ({ target }) => this.see(JSON.parse(target.value));
  }

  stop() {
    this.known = null;
    this.find("own").hidden = true;
    this.show(null);
  }

  // MARK: Asking

  get path() { return `${this.room.path}/participants/${this.room.ownId}/avatar`; }

  async choose(file) {
    let image;
    try { image = await fitting(file); } catch { return this.notice("This file is not an image that can be shown."); }
    if (!(await this.send(image))) return;
    this.image = image;
    // Another image has the same address: that it changed is not told.
    this.show(image);
  }

  async send(image) {
    this.find("avatar-choose").disabled = true;
    try {
      const response = await fetch(this.path, { method: "PUT", headers: { ...this.room.headers, "Content-Type": image.type }, body: image });
      this.notice(response.ok ? "" : await problem(response));
      return response.ok;
    } catch {
      this.notice("The server cannot be reached.");
      return false;
    } finally { this.find("avatar-choose").disabled = false; }
  }

  async remove() {
    const { done, words } = await this.room.change({ avatar: null });
    if (done) this.image = null;
    this.notice(done ? "" : words);
  }

  async see(self) {
    const { done, words } = await this.room.change({ self });
    if (done) this.self = self;
    this.notice(done ? "" : words);
    this.find("self-select").value = JSON.stringify(this.self);
  }

  /// After the connection was lost one is somebody new to the server.
  tellAgain() {
    if (this.image) this.send(this.image);
    if (this.self !== null) this.room.change({ self: this.self });
  }

  // MARK: What the server says

  follow(person) {
    // Who only watches is nowhere to be seen.
    this.find("own").hidden = person.role === "viewer";
    this.self = person.receives?.self ?? null;
    this.find("self-select").value = JSON.stringify(this.self);
    if (person.avatar === this.known) return;
    this.known = person.avatar;
    this.load();
  }

  async load() {
    const wanted = this.known;
    if (!wanted) return this.show(null);
    try {
      const response = await fetch(this.path, { headers: this.room.headers });
      const image = response.ok ? await response.blob() : null;
      if (this.known === wanted) this.show(image);
    } catch { /* The initials stay. */ }
  }

  show(image) {
    const shown = this.find("avatar-shown");
    if (shown.src.startsWith("blob:")) URL.revokeObjectURL(shown.src);
    if (image) shown.src = URL.createObjectURL(image);
    else shown.removeAttribute("src");
    shown.hidden = this.find("avatar-remove").hidden = !image;
    this.find("avatar-words").hidden = Boolean(image);
  }
}

/// An image as the server takes it: PNG or JPEG, not too large.
async function fitting(file) {
  if (["image/png", "image/jpeg"].includes(file.type) && file.size <= bytesMax) return file;
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, sideMax / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const whole = await canvas.convertToBlob({ type: "image/png" });
  return whole.size <= bytesMax ? whole : canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
}
