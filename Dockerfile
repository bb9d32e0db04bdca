# FER Lab as an image. By default it serves only: without TensorFlow, and so without training, a third of the size.
#   docker build -t fer-lab .            docker run -p 8501:8501 -v fer-lab:/data fer-lab
#   docker build -t fer-lab --build-arg TRAINING=yes .
FROM python:3.12-slim

ARG TRAINING=no
ENV FER_HOME=/data PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

COPY requirements.txt requirements-serve.txt ./
RUN if [ "$TRAINING" = no ]; then lock=requirements-serve.txt; else lock=requirements.txt; fi \
    && pip install --require-hashes -r $lock

COPY . .
RUN useradd --create-home fer && mkdir -p /data && chown fer /data
USER fer
VOLUME /data
EXPOSE 8501

HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "fer_core", "app", "--host", "0.0.0.0", "--server.headless", "true"]
