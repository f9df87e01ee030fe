// ICETests
