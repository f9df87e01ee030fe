import LayoutWorkshop

/// What `--help` prints, on every level.
enum Help {
  static let program = """
    tutti: a WebRTC conference server that mixes. People join a room with a browser, see one picture and hear everybody else.

    usage: tutti COMMAND [OPTIONS]

      serve             run the server
      layouts check     find every fault in layout files
      layouts render    draw a layout with made-up people
      layouts import    turn layouts of FreeSWITCH or Open WebRTC Toolkit into ours
      layouts restore   bring back layouts that came with tutti and were changed or deleted
      config check      find every fault in a configuration file
      token             make a token for a person and a room
      demo              fill a room with made-up people, to see what it looks like
      load              bring publishers and viewers into a room and measure what they see

      --version         print the version
      --help            print this; also behind every command
    """

  static var serve: String {
    let width = 34
    let options = Setting.allCases.map { setting in
      let head = "  \(setting.option) \(setting.placeholder)"
      let gap =
        head.count < width ? String(repeating: " ", count: width - head.count) : "\n" + String(repeating: " ", count: width)
      return head + gap + setting.help
    }
    return """
      usage: tutti serve [--config FILE] [OPTIONS]

      Serves the web page, WHIP, WHEP and the control interface until SIGTERM or SIGINT, which let participants leave first.

        --config FILE                   settings in JSON5; 'tutti config check FILE' finds its faults
      \(options.joined(separator: "\n"))

      Each option is also a variable (--log-level is TUTTI_LOG_LEVEL) and a key of the file. An option counts more than a
      variable, a variable more than the file.
      """
  }

  static let layouts = """
    usage: tutti layouts check [--size WxH]... FILE|DIRECTORY...
           tutti layouts render NAME|FILE --participants N [--size WxH] [--layouts DIR] -o OUT.png|OUT.svg
           tutti layouts import FILE [-o DIRECTORY]
           tutti layouts restore [--layouts DIR] NAME...
    """

  static let layoutsCheck = """
    usage: tutti layouts check [--size WxH]... FILE|DIRECTORY...

    Prints every fault as FILE:LINE:COLUMN: message and ends with status 1, or with 0 where there is none. Of a directory all layouts
    are checked. Advice is marked 'note:' and changes nothing in that.

      --size WxH    a canvas in use: tells as well which slots have edges on odd pixels there
    """

  static let layoutsRender = """
    usage: tutti layouts render NAME|FILE [OPTIONS] -o OUT.png|OUT.svg

      --participants N    how many people to show, 0 to 100 (4)
      --size WxH          size of the picture (1280x720)
      --floor N           who speaks, from 1, or 0 for nobody (1)
      --screen N          who shares a screen, from 1, or 0 for nobody (0)
      --cameras N         how many send a picture, from the first on (all)
      --roles LIST        the roles of the first people, such as host,,guest (as there are slots)
      --slots LIST        the slots or reserved keys that the first people were given
      --layouts DIR       where the layout NAME is (TUTTI_LAYOUTS, else Layouts)
      -o FILE             where to write it
    """

  static let layoutsImport = """
    usage: tutti layouts import FILE [-o DIRECTORY]

    Reads conference_layouts of FreeSWITCH (XML) or a room, view or layout of Open WebRTC Toolkit (JSON) and writes a NAME.json for
    each layout, group or view. Says as FILE:LINE: note what is not quite as it was there. Files that exist stay as they are.

      -o DIRECTORY        where to write them (the current directory)
    """

  static var layoutsRestore: String {
    """
    usage: tutti layouts restore [--layouts DIR] NAME...

    Brings back layouts that came with tutti: \(ShippedLayouts.names.prefix(6).joined(separator: ", ")),
    \(ShippedLayouts.names.dropFirst(6).joined(separator: ", ")).
    A file that was changed is kept beside it as FILE~. Rooms of a running server follow at once.

      --layouts DIR       where the server's layouts are (TUTTI_LAYOUTS, else Layouts); made where it is missing
    """
  }

  static let load = """
    usage: tutti load --url ROOM_URL [OPTIONS]

    Brings clients into a room of a running server over WebRTC, says each second how they fare, and reports in the end.

      --url ROOM_URL            such as http://127.0.0.1:8080/rooms/demo
      --publishers N            who send a picture of 640x360 and sound, and receive like everybody else (3)
      --viewers N               who only receive (10)
      --seconds S               how long they stay once all have come (10)
      --joins-per-second N      how fast viewers come; 0 is as fast as the server answers (0)
      --output NAME             the output viewers ask for, or auto
      --audio-only              sound alone
      --loss PERCENT            what viewers lose of what they are sent (0)
      --slow-viewers N          how many viewers have lines that carry only so much (0)
      --line KILOBITS           what those lines carry a second (60)
      --srtp PROFILE            what encrypts for viewers: aes-gcm, or aes-cm as clients have it that know no other (aes-gcm)
      --keyframe-requests N     how many keyframes each viewer asks for in a second without need (0)
      --token TOKEN             bearer token for the server
      --insecure                any certificate will do, as of a server that made its own (--tls self-signed);
                                on loopback it does anyway
      --json                    the report as one line of JSON; how it goes stands on standard error
    """

  static let demo = """
    usage: tutti demo [--url ROOM_URL] [--participants N] [--token TOKEN] [--insecure]

    Fills a room with made-up people who move and talk, until it is interrupted; open the room's page beside it.

      --url ROOM_URL            (http://127.0.0.1:8080/rooms/demo)
      --participants N          1 to 60 (4)
      --token TOKEN             bearer token for the server
      --insecure                any certificate will do, as of a server that made its own (--tls self-signed);
                                on loopback it does anyway
    """

  static let config = "usage: tutti config check FILE"

  static let configCheck = """
    usage: tutti config check FILE

    Prints every fault as FILE:LINE:COLUMN: message and ends with status 1, or says that it is in order and ends with 0.
    """

  static let token = """
    usage: tutti token --room ROOM --role ROLE --sub NAME [--ttl TIME] [--config FILE]

      --room ROOM     the room's name, or * for all
      --role ROLE     host, panelist, viewer or admin
      --sub NAME      who it is for
      --ttl TIME      how long it is good: 90s, 15m, 1h, 7d (1h)
      --config FILE   the server's configuration with its HS256 key; or set TUTTI_AUTH_SECRET
    """
}
