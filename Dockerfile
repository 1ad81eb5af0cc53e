# The Taylor recipe on FashionMNIST:
#
#     docker build -t keras-prune . && docker run -v "$PWD/runs:/work/runs" keras-prune
#
# Other commands take its place: docker run keras-prune vgg16 --dataset digits
FROM python:3.12-slim
COPY . /keras-prune
RUN pip install --no-cache-dir -c /keras-prune/constraints.txt "/keras-prune[mlflow]"
WORKDIR /work
ENTRYPOINT ["keras-prune"]
CMD ["taylor", "--dataset", "fashion_mnist", "--seed", "0"]
