// ConferenceTests
