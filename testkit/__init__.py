"""Code that tests and benchmarks share; the product does not import it.

The real app and its surroundings: `app` (app, Chromium, fake webcam), `rigged` (the app with faults
on demand), `coturn` and `postgres` (servers). Visitors without a browser: `page` (Streamlit's
WebSocket), `visitor` (plus WebRTC), `clients` (visitors in processes of their own), `film` and
`marks` (their camera's picture and the numbers in it). Pictures with known faces: `heads`,
`backgrounds`, `scenes`, `standard`, `portraits`, `frames`; `scoring` compares results with them.
`scripted` stands in for a detector.
"""
