# The web app in one process that needs neither root nor a disk to write on, save /tmp.
# tools/image.py goes through these steps without Docker.
# --build-arg BASE=python:3.11-slim-bookworm@sha256:… builds on that very image each time.
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

ENV HOME=/tmp \
    PORT=8501 \
    PYTHONUNBUFFERED=1

WORKDIR /app

# What seldom changes comes first: new code then installs nothing again.
COPY requirements.lock requirements-people.lock ./
# --build-arg PEOPLE=1 adds what names for faces need.
ARG PEOPLE=
RUN pip install --no-cache-dir -r requirements${PEOPLE:+-people}.lock

COPY . .
# Now, as nothing can be written here later.
RUN python -m compileall -q app.py emorec

USER 1000:1000
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/_stcore/health', timeout=4)"]
CMD ["sh", "-c", "exec streamlit run app.py --server.port=$PORT --server.address=0.0.0.0 --server.headless=true"]
