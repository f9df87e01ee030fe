// JSON5Tests
