# keeps all
