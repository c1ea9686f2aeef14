"""`emorec watch`: what a camera shows, sent on while it happens, for other programs.

The way the data goes::

    camera.Camera -> Reader -> feed.Feed -> json_lines.JsonLines   standard output
       (newest)                 ^  |     -> websocket.WebSocket    clients on this computer
                   markers ─────┘  |     -> lsl.LabStreams         Lab Streaming Layer
                            sessions.Timeline, room measures

`feed.Feed` is a sink of `emorec.reading`. It makes messages of four kinds, with the columns of
`emorec.columns`, and gives each to the outlets. No picture and no name is ever sent.
"""
